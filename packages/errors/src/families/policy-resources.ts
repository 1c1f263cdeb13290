import type { ErrorEntry } from '../entry.ts';

/** What policies are made to refer to: vaults and their secrets, IP policies, certificate authorities (spec: api.md §2). */
export const POLICY_RESOURCE_ERRORS = {
  // Vaults and secrets.
  23000: {
    status: 400,
    owner: 'client',
    title: 'Bad vault name',
    message: 'The vault name "{name}" cannot be used: letters, digits and _ / . - are allowed.',
  },
  23001: {
    status: 400,
    owner: 'client',
    title: 'Vault without a name',
    message: 'A vault needs a name: give the field "{field}".',
  },
  23002: {
    status: 400,
    owner: 'client',
    title: 'Vault name too long',
    message: 'The vault name has {length} bytes; it may have {most}.',
  },
  23003: {
    status: 400,
    owner: 'client',
    title: 'Vault not empty',
    message: 'The vault {id} still has {users}. Delete its secrets first.',
  },
  23004: {
    status: 400,
    owner: 'client',
    title: 'Vault name taken',
    message: 'There is a vault "{name}" in this account already. Take another name.',
  },
  24000: {
    status: 400,
    owner: 'client',
    title: 'Bad secret name',
    message: 'The secret name "{name}" cannot be used: letters, digits and _ / . - are allowed.',
  },
  24001: {
    status: 400,
    owner: 'client',
    title: 'Secret without a name',
    message: 'A secret needs a name: give the field "{field}".',
  },
  24002: {
    status: 400,
    owner: 'client',
    title: 'Secret name too long',
    message: 'The secret name has {length} bytes; it may have {most}.',
  },
  24003: {
    status: 400,
    owner: 'client',
    title: 'Secret without a value',
    message: 'A secret needs a value: give the field "{field}".',
  },
  24004: {
    status: 400,
    owner: 'client',
    title: 'Secret too long',
    message: 'The value of the secret has {length} bytes; it may have {most}.',
  },
  24005: {
    status: 400,
    owner: 'client',
    title: 'Secret name taken',
    message: 'There is a secret "{name}" in this vault already. Change that one, or take another name.',
  },
  24006: {
    status: 400,
    owner: 'client',
    title: 'No such vault',
    message: 'The vault {id} does not exist. Create it first.',
  },
  24008: {
    status: 400,
    owner: 'client',
    title: 'Secret without a vault',
    message: 'A secret is kept in a vault: give the field "{field}", or vault_name.',
  },
  24009: {
    status: 400,
    owner: 'client',
    title: 'No vault of that name',
    message: 'There is no vault "{name}" here, or it is not the one that vault_id names.',
  },
  // IP policies.
  1400: {
    status: 400,
    owner: 'client',
    title: 'Update says nothing',
    message: 'This update of an IP policy names no field to change. Send description or metadata.',
  },
  1401: {
    status: 400,
    owner: 'client',
    title: 'Update says nothing',
    message: 'This update of an IP policy rule names no field to change. Send description, metadata or cidr.',
  },
  1405: {
    status: 400,
    owner: 'client',
    title: 'Field missing',
    message: 'An IP policy rule needs the field "{field}".',
  },
  1406: {
    status: 400,
    owner: 'client',
    title: 'Not a network',
    message:
      '"{cidr}" is not a network. Write an address and the length of its mask, as in 192.0.2.0/24 or 2001:db8::/32.',
  },
  1408: {
    status: 400,
    owner: 'client',
    title: 'Network in this policy already',
    message: 'The policy has a rule for {cidr} already. Change or delete that one.',
  },
  1409: {
    status: 400,
    owner: 'client',
    title: 'Bits behind the mask',
    message: '"{cidr}" is not the first address of its network. Write {network}.',
  },
  1413: {
    status: 400,
    owner: 'client',
    title: 'Mask missing',
    message: '"{cidr}" has no mask. For this one address write {cidr}/{bits}.',
  },
  1414: {
    status: 400,
    owner: 'client',
    title: 'No such IP policy',
    message: 'There is no IP policy {id}. Create it first.',
  },
  1421: {
    status: 400,
    owner: 'client',
    title: 'Description too long',
    message: "The description has {length} bytes; a rule's may have {most}.",
  },
  1422: {
    status: 400,
    owner: 'client',
    title: 'Neither allow nor deny',
    message: 'The action of an IP policy rule is allow or deny.',
  },
  // Certificate authorities.
  1911: {
    status: 400,
    owner: 'client',
    title: 'Not a certificate',
    message: 'The PEM text holds a {type}. Give the certificate of the authority.',
  },
  1912: {
    status: 400,
    owner: 'client',
    title: 'More than one certificate',
    message: 'The PEM text holds {count} certificates. Give one; each authority is a resource of its own.',
  },
  1913: {
    status: 400,
    owner: 'client',
    title: 'Not an authority',
    message: 'The certificate is not marked as that of an authority (RFC 5280 §4.2.1.9).',
  },
  1919: {
    status: 400,
    owner: 'client',
    title: 'Certificate missing',
    message: 'A certificate authority needs its certificate in PEM: give the field "{field}".',
  },
  1920: {
    status: 400,
    owner: 'client',
    title: 'Certificate not readable',
    message: 'The text cannot be used: {reason}.',
  },
  1921: {
    status: 400,
    owner: 'client',
    title: 'Certificate too long',
    message: 'The PEM text has {length} bytes; it may have {most}.',
  },
  // No number of its own is published for these.
  90079: {
    status: 400,
    owner: 'client',
    title: 'Text too long',
    message: 'The field "{field}" has {length} bytes; it may have {most}.',
  },
} as const satisfies Record<number, ErrorEntry>;
