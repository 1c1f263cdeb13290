import { id, owner, ref, text, time } from './model/field.ts';
import { CREATED_AT, description, ID, metadata, NAME_BYTES, nameCheck, URI } from './model/common.ts';
import { plain } from './model/row.ts';

/** As much as a certificate with its chain. */
const VALUE_BYTES = 65_536;

/** Values that no answer shows. */
export const vaultSecrets = plain({
  name: 'secrets',
  title: 'secret',
  doc: 'A value that can be set and never be read again; it lies encrypted in the database.',
  path: '/vault_secrets',
  listKey: 'secrets',
  idPrefixes: ['secret'],
  verbs: ['list', 'create', 'get', 'update', 'delete'],
  filter: {},
  rows: { beside: {}, unique: [{ fields: ['vaultId', 'name'], error: 24005 }] },
  fields: {
    id: ID,
    uri: URI,
    created_at: CREATED_AT,
    updated_at: time('When it was changed last.', { auto: 'changed-at' }),
    name: text('Its name, which no other secret of the vault has: letters, digits and _ / . -', {
      in: 'both',
      needed: 24001,
      check: nameCheck(24000),
      most: { bytes: NAME_BYTES, error: 24002 },
    }),
    value: text('The secret itself.', {
      in: 'both',
      out: 'never',
      row: 'sealed',
      needed: 24003,
      most: { bytes: VALUE_BYTES, error: 24004 },
    }),
    description: description(90079, 'kept'),
    metadata: metadata(90079, 'kept'),
    created_by: owner('Who made it.', { auto: 'made-by' }),
    last_updated_by: owner('Who changed it last.', { auto: 'changed-by' }),
    vault: ref('The vault that it is kept in.', { to: '/vaults', link: { unknown: 24006, listed: 'secrets' } }),
    vault_id: id('Id of the vault.', { in: 'create', out: 'never' }),
    vault_name: text('Name of the vault; a create call may give it instead of the id.', { in: 'create', row: 'none' }),
  },
});
