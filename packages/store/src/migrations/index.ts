/**
 * All migrations, in order; a new one goes to the end of this list, into a file of its own if it is more than a table. One
 * that was released never changes, so it has its own words for what `@postern/resources` says of today.
 */
import { resources } from './0001-resources.ts';
import { sealedPolicies } from './0002-sealed-policies.ts';
import { regions } from './0003-regions.ts';
import { certificates } from './0009-certificates.ts';
import { logins } from './0010-logins.ts';
import { tableOfRows, type Migration } from './step.ts';

export const MIGRATIONS: readonly Migration[] = [
  resources,
  sealedPolicies,
  regions,
  {
    version: 4,
    name: 'vaults',
    steps: [
      tableOfRows(
        'vaults',
        {
          updatedAt: 'text',
          name: 'text',
          description: 'text',
          metadata: 'text',
          createdBy: 'text',
          lastUpdatedBy: 'text',
        },
        { unique: [['accountId', 'name']] },
      ),
    ],
  },
  {
    version: 5,
    name: 'secrets',
    steps: [
      tableOfRows(
        'secrets',
        {
          updatedAt: 'text',
          name: 'text',
          value: 'secret',
          description: 'text',
          metadata: 'text',
          createdById: 'text',
          lastUpdatedById: 'text',
          vaultId: 'text',
        },
        { unique: [['vaultId', 'name']], indexed: [['vaultId']] },
      ),
    ],
  },
  {
    version: 6,
    name: 'IP policies',
    steps: [tableOfRows('ip_policies', { description: 'text', metadata: 'text' })],
  },
  {
    version: 7,
    name: 'rules of IP policies',
    steps: [
      tableOfRows(
        'ip_policy_rules',
        { description: 'text', metadata: 'text', cidr: 'text', ipPolicyId: 'text', action: 'text' },
        { unique: [['ipPolicyId', 'cidr']], indexed: [['ipPolicyId']] },
      ),
    ],
  },
  {
    version: 8,
    name: 'certificate authorities',
    steps: [
      tableOfRows('certificate_authorities', {
        description: 'text',
        metadata: 'text',
        caPem: 'text',
        subjectCommonName: 'text',
        notBefore: 'text',
        notAfter: 'text',
        keyUsages: 'json',
        extendedKeyUsages: 'json',
      }),
    ],
  },
  certificates,
  logins,
];

/** The version of a database that this code reads and writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

export type { Migration, Step } from './step.ts';
