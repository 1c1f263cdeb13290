/** Requests that are signed (RFC 7515 in its flattened form, as RFC 8555 §6.2 wants it), and what a key is called. */
import { createHash, createHmac, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { textIn } from './problem.ts';

/** The key of an account: ECDSA with P-256, which all authorities take. */
export class AccountKey {
  /** Public half, members in the order of RFC 7638 §3.2. */
  readonly jwk: { readonly crv: string; readonly kty: string; readonly x: string; readonly y: string };
  /** base64url */
  readonly thumbprint: string;
  readonly #key: KeyObject;

  /** @param pem PKCS #8 */
  constructor(pem: string) {
    this.#key = createPrivateKey(pem);
    const exported: unknown = createPublicKey(this.#key).export({ format: 'jwk' });
    this.jwk = { crv: 'P-256', kty: 'EC', x: textIn(exported, 'x'), y: textIn(exported, 'y') };
    this.thumbprint = createHash('sha256').update(JSON.stringify(this.jwk)).digest('base64url');
  }

  /** What shows that the account's owner has put the token there (RFC 8555 §8.1). */
  authorize(token: string): string {
    return `${token}.${this.thumbprint}`;
  }

  /** @param payload '' = POST-as-GET */
  sign(header: object, payload: string): string {
    const fields = partsOf({ alg: 'ES256', ...header }, payload);
    const signature = sign('sha256', Buffer.from(`${fields.protected}.${fields.payload}`), {
      key: this.#key,
      dsaEncoding: 'ieee-p1363',
    });
    return JSON.stringify({ ...fields, signature: signature.toString('base64url') });
  }
}

/** Binds a new account to one that exists elsewhere (RFC 8555 §7.3.4). @param hmac base64url */
export function externalBinding(keyId: string, hmac: string, url: string, jwk: AccountKey['jwk']): object {
  const fields = partsOf({ alg: 'HS256', kid: keyId, url }, JSON.stringify(jwk));
  const signature = createHmac('sha256', Buffer.from(hmac, 'base64url'))
    .update(`${fields.protected}.${fields.payload}`)
    .digest('base64url');
  return { ...fields, signature };
}

function partsOf(header: object, payload: string): { readonly protected: string; readonly payload: string } {
  return {
    protected: Buffer.from(JSON.stringify(header)).toString('base64url'),
    payload: Buffer.from(payload).toString('base64url'),
  };
}
