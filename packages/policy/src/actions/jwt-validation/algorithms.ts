/** Signatures of RFC 7518 §3 and RFC 8037 §3.1, each for one kind of key. */
import { constants, verify as verifySignature, type KeyObject, type VerifyKeyObjectInput } from 'node:crypto';
import type { PublishedKey } from '../../services.ts';
import type { Algorithm } from './schema.ts';

interface Scheme {
  /** null = the algorithm has a digest of its own. */
  readonly hash: string | null;
  fits(key: KeyObject): boolean;
  readonly options: Omit<VerifyKeyObjectInput, 'key'>;
  /** Bytes of every signature by the key; null = the library refuses other lengths itself. */
  readonly lengthBy: (key: KeyObject) => number | null;
}

const isRsa = (key: KeyObject): boolean => key.asymmetricKeyType === 'rsa';

/** As long as the modulus (RFC 8017 §8.1.2, §8.2.2): the library takes one whose zeros in front are left out. */
const lengthByRsa = ({ asymmetricKeyDetails }: KeyObject): number =>
  Math.ceil((asymmetricKeyDetails?.modulusLength ?? 0) / 8);
const anyLength = (): null => null;

function pkcs1(hash: string): Scheme {
  return { hash, fits: isRsa, lengthBy: lengthByRsa, options: { padding: constants.RSA_PKCS1_PADDING } };
}

/** The salt is as long as the digest (RFC 7518 §3.5), and nothing else is taken. */
function pss(hash: string): Scheme {
  const options = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return { hash, fits: isRsa, lengthBy: lengthByRsa, options };
}

/** r and s side by side, each as long as the curve's numbers (RFC 7518 §3.4); other lengths are no signature. */
function ecdsa(hash: string, curve: string): Scheme {
  return {
    hash,
    fits: ({ asymmetricKeyType, asymmetricKeyDetails }) =>
      asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === curve,
    lengthBy: anyLength,
    options: { dsaEncoding: 'ieee-p1363' },
  };
}

const SCHEMES: Readonly<Record<Algorithm, Scheme>> = {
  RS256: pkcs1('sha256'),
  RS384: pkcs1('sha384'),
  RS512: pkcs1('sha512'),
  PS256: pss('sha256'),
  PS384: pss('sha384'),
  PS512: pss('sha512'),
  ES256: ecdsa('sha256', 'prime256v1'),
  ES384: ecdsa('sha384', 'secp384r1'),
  ES512: ecdsa('sha512', 'secp521r1'),
  EdDSA: {
    hash: null,
    fits: ({ asymmetricKeyType }) => asymmetricKeyType === 'ed25519' || asymmetricKeyType === 'ed448',
    lengthBy: anyLength,
    options: {},
  },
};

/** Whether a key may check signatures of the algorithm: by its kind, and by what its publisher says that it is for. */
export function fits(algorithm: Algorithm, { alg, key }: PublishedKey): boolean {
  return (alg === '' || alg === algorithm) && SCHEMES[algorithm].fits(key);
}

/** What takes a core longer than this (P-384 1 ms, P-521 2.5 ms, RSA of 8,192 bits up to 0.9 ms) is left to other threads. */
const MOST_HERE = 30_000;

/** Units of work, as measured and rounded up; what other threads do counts half. */
export function priceOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): number {
  if (asymmetricKeyType === 'rsa') return (asymmetricKeyDetails?.modulusLength ?? 8_192) ** 2 / 700;
  if (asymmetricKeyType === 'ec') return CURVES[asymmetricKeyDetails?.namedCurve ?? ''] ?? 120_000;
  return asymmetricKeyType === 'ed25519' ? 20_000 : 30_000;
}

const CURVES: Readonly<Record<string, number>> = { prime256v1: 20_000, secp384r1: 50_000, secp521r1: 120_000 };

/** @param key one that {@link fits} */
export function isSigned(
  algorithm: Algorithm,
  key: KeyObject,
  signed: Buffer,
  signature: Buffer,
): boolean | Promise<boolean> {
  const { hash, options, lengthBy } = SCHEMES[algorithm];
  if (signature.length !== (lengthBy(key) ?? signature.length)) return false;
  if (priceOf(key) <= MOST_HERE) return verifySignature(hash, signed, { key, ...options }, signature);
  return new Promise((resolve, reject) => {
    verifySignature(hash, signed, { key, ...options }, signature, (error, right) => {
      if (error === null) resolve(right);
      else reject(error);
    });
  });
}
