/** A leaf certificate taken apart for expressions: once per certificate, however many requests ask. */
import { X509Certificate } from 'node:crypto';
import type { CertificateView } from '../../runtime.ts';
import { fromPlain, type Value } from '../value.ts';
import { extensionsOf } from './extensions.ts';

export interface CertificateFacts {
  readonly subject: NameFacts;
  readonly issuer: NameFacts;
  readonly san: string;
  readonly emailAddresses: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly uris: readonly string[];
  readonly signatureAlgorithm: string;
  /** As expressions see them: a list of maps. */
  readonly extensions: Value;
}

export interface NameFacts {
  readonly country: readonly string[];
  readonly locality: readonly string[];
  readonly organization: readonly string[];
  readonly organizationalUnit: readonly string[];
  readonly postalCode: readonly string[];
  readonly province: readonly string[];
  readonly streetAddress: readonly string[];
}

const cache = new WeakMap<CertificateView, CertificateFacts>();

export function certificateFacts(view: CertificateView): CertificateFacts {
  const known = cache.get(view);
  if (known !== undefined) return known;
  const facts = read(view);
  cache.set(view, facts);
  return facts;
}

function read(view: CertificateView): CertificateFacts {
  let certificate: X509Certificate | null = null;
  try {
    certificate = new X509Certificate(view.pem);
  } catch {
    // A view without readable PEM still has its plain fields; the rest reads as empty.
  }
  const san = certificate?.subjectAltName ?? '';
  const names = san.split(', ');
  const kind = (prefix: string): string[] =>
    names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  return {
    subject: nameFacts(certificate?.subject ?? ''),
    issuer: nameFacts(certificate?.issuer ?? ''),
    san,
    emailAddresses: kind('email:'),
    ipAddresses: kind('IP Address:'),
    uris: kind('URI:'),
    signatureAlgorithm: certificate?.signatureAlgorithm ?? '',
    extensions: fromPlain(extensionsOf(view.pem)),
  };
}

/** Node writes one attribute per line, `C=US`. */
function nameFacts(name: string): NameFacts {
  const lines = name.split('\n');
  const all = (...keys: string[]): string[] =>
    lines
      .filter((line) => keys.includes(line.slice(0, line.indexOf('='))))
      .map((line) => line.slice(line.indexOf('=') + 1));
  return {
    country: all('C'),
    locality: all('L'),
    organization: all('O'),
    organizationalUnit: all('OU'),
    postalCode: all('postalCode'),
    province: all('ST'),
    streetAddress: all('street', 'streetAddress'),
  };
}
