/** Certificates of public authorities that come and renew by themselves. See README.md of this package. */
export { CertificateManager, type Numbers } from './life/manager.ts';
export { DnsAnswerer, type DnsAddress } from './dns/answerer.ts';
export { hookWay } from './dns/hook.ts';
export { Staples } from './ocsp/staples.ts';
export { updateWay } from './dns/update.ts';
export type {
  AcmeConfig,
  AcmeParts,
  AuthorityConfig,
  CertificateFields,
  DnsWay,
  RecordLookup,
  Subject,
} from './types.ts';
