/** Certificates of public authorities that come and renew by themselves. See README.md of this package. */
export { CertificateManager, type Numbers } from './life/manager.ts';
export type { AcmeConfig, AcmeParts, AuthorityConfig, CertificateFields, DnsWay, Subject } from './types.ts';
