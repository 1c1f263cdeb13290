import { X509Certificate } from 'node:crypto';
import { getCACertificates } from 'node:tls';

/** `own`: this installation's `ca.pem`; `public`: one that clients know by themselves; `private`: the operator's. */
export type CertificateAuthority = 'own' | 'public' | 'private';

const BLOCK_END = '-----END CERTIFICATE-----';

/** Whether the chain ends in a root that clients know, as far as this machine can tell. */
export function isPublic(chain: string): boolean {
  const last = chain.slice(0, chain.lastIndexOf(BLOCK_END) + BLOCK_END.length);
  const top = new X509Certificate(last.slice(last.lastIndexOf('-----BEGIN CERTIFICATE-----')));
  return getCACertificates('default').some((pem) => {
    const root = new X509Certificate(pem);
    return root.subject === top.issuer && top.verify(root.publicKey);
  });
}
