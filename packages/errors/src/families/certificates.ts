import type { ErrorEntry } from '../entry.ts';

/** Certificates that are uploaded, and those of reserved domains. */
export const CERTIFICATE_ERRORS = {
  434: {
    status: 400,
    owner: 'client',
    title: 'Two ways to a certificate',
    message: 'Give certificate_id or certificate_management_policy, not both.',
  },
  435: {
    status: 400,
    owner: 'client',
    title: 'Unknown authority',
    message:
      'The authority "{authority}" is not known. "letsencrypt" means the authority that this server orders from, which its operator has chosen.',
  },
  436: {
    status: 400,
    owner: 'client',
    title: 'Managed certificate',
    message: 'The certificate of {domain} is managed. Delete its certificate_management_policy first.',
  },
  439: {
    status: 400,
    owner: 'client',
    title: 'Certificate of the server',
    message: 'The domain {domain} is below one of this server, whose own certificate covers it.',
  },
  1900: {
    status: 400,
    owner: 'client',
    title: 'Certificate missing',
    message: 'Give the certificate in PEM in the field "{field}".',
  },
  1901: {
    status: 400,
    owner: 'client',
    title: 'Private key missing',
    message: 'Give the private key of the certificate in PEM, not encrypted, in the field "{field}".',
  },
  1902: {
    status: 400,
    owner: 'client',
    title: 'Certificate not readable',
    message: 'The certificate cannot be used: {reason}.',
  },
  1903: {
    status: 400,
    owner: 'client',
    title: 'Private key not readable',
    message: 'The private key cannot be used: {reason}.',
  },
  1904: {
    status: 400,
    owner: 'client',
    title: 'Key of another certificate',
    message: 'The private key is not that of the first certificate, which has to be the one of the server.',
  },
  1905: {
    status: 400,
    owner: 'client',
    title: 'Certificates out of order',
    message:
      'Certificate {place} of the chain did not sign the one before it. Put that of the server first, then its issuers in order.',
  },
  1906: {
    status: 400,
    owner: 'client',
    title: 'PEM text too long',
    message: 'The PEM text has {length} bytes; it may have {most}.',
  },
  1907: {
    status: 400,
    owner: 'client',
    title: 'Unknown certificate',
    message: 'There is no certificate {id} in this account.',
  },
  1908: {
    status: 400,
    owner: 'client',
    title: 'Unknown kind of key',
    message: 'Keys of kind "{type}" are not issued; ecdsa and rsa are.',
  },
  1926: {
    status: 400,
    owner: 'client',
    title: 'Certificate in use',
    message: 'The certificate {id} is used by {users}. Give these another one first, or none.',
  },
  90083: {
    status: 409,
    owner: 'config',
    title: 'No certificates are ordered',
    message: 'This server orders no certificates now. Start it with --acme-email and --acme-agree-terms.',
  },
  90084: {
    status: 429,
    owner: 'client',
    title: 'Asked again too soon',
    message: 'The certificate of {names} was looked at a moment ago. Ask again in {seconds} seconds.',
  },
} as const satisfies Record<number, ErrorEntry>;
