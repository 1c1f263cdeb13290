/** What a rule's `terminate-tls` comes to. */
import type { TlsIdentity } from '@postern/link';
import type { TlsTermination } from '@postern/policy';
import type { TlsDemands } from './tls-terminators.ts';

/** The certificate that it brings; null = none. */
export function givenIdentity(termination: TlsTermination | null): TlsIdentity | null {
  return termination === null || termination.cert === null || termination.key === null
    ? null
    : { cert: termination.cert, key: termination.key };
}

/** @param base what holds without it */
export function demandsOf(base: TlsDemands, termination: TlsTermination | null): TlsDemands {
  if (termination === null) return base;
  const { minVersion, maxVersion, clientCas, clientCertificates } = termination;
  return { alpn: base.alpn, minVersion, maxVersion, clientCas, clientCertificates };
}
