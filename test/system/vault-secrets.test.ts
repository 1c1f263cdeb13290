import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { PLAIN } from '@postern/resources';
import { expect, test } from 'vitest';
import { postern } from '../support/cli.ts';
import { ofFilesIn } from '../support/files-in.ts';
import { describeResource } from '../support/resource.ts';

const TEXTS = { description: 'of the database', metadata: 'env=staging' };
const USER = { id: expect.stringMatching(/^usr_[0-9A-Za-z]{27}$/), uri: '' };
const VALUE = 'correct-horse-battery-staple';
const NEWER_VALUE = 'a-much-better-battery-staple';

describeResource(
  {
    definition: PLAIN.vaultSecrets,
    before: async (platform) => (await platform.api('POST', '/vaults', { name: 'site' })).body,
    create: (index, vault) => ({ ...TEXTS, name: `db/password-${index}`, value: VALUE, vault_id: vault['id'] }),
    update: { name: 'other', metadata: '' },
    shown: (vault) => ({
      ...TEXTS,
      name: 'db/password-0',
      updated_at: expect.any(String),
      created_by: USER,
      last_updated_by: USER,
      vault: { id: vault['id'], uri: vault['uri'] },
      vault_name: 'site',
    }),
  },
  (platform) => {
    const number = (code: number) => ({ status: 400, body: { error_code: `ERR_NGROK_${code}` } });
    const secret = (body: object) => platform().api('POST', '/vault_secrets', { name: 'one', value: VALUE, ...body });
    const vault = async (name: string) => (await platform().api('POST', '/vaults', { name })).body;

    test('the vault is given by its id or its name, and has to be there', async () => {
      const { id } = await vault('named');
      const made = await secret({ vault_name: 'named' });
      expect(made).toMatchObject({ status: 201, body: { vault: { id }, vault_name: 'named' } });
      await platform().api('PATCH', `/vaults/${id}`, { name: 'renamed' });
      const again = await platform().api('GET', `/vault_secrets/${made.body.id}`);
      expect(again.body).toMatchObject({ vault: { id }, vault_name: 'renamed' });
      expect(await secret({})).toMatchObject(number(24008));
      expect(await secret({ vault_name: 'named' })).toMatchObject(number(24009));
      expect(await secret({ vault_name: 'renamed', vault_id: (await vault('third')).id })).toMatchObject(number(24009));
      expect(await secret({ vault_id: `vault_${'0'.repeat(27)}` })).toMatchObject(number(24006));
      expect(await secret({ vault_id: made.body.id })).toMatchObject(number(24006));
    });

    test('a name is of one secret in its vault', async () => {
      const [first, second] = [await vault('first'), await vault('second')];
      await secret({ vault_id: first.id });
      expect(await secret({ vault_id: first.id })).toMatchObject(number(24005));
      expect((await secret({ vault_id: second.id })).status).toBe(201);
      const other = await secret({ vault_id: first.id, name: 'two' });
      expect(await platform().api('PATCH', `/vault_secrets/${other.body.id}`, { name: 'one' })).toMatchObject(
        number(24005),
      );
      // The vault of a secret stays.
      expect(await platform().api('PATCH', `/vault_secrets/${other.body.id}`, { vault_id: second.id })).toMatchObject(
        number(214),
      );
    });

    test('a vault lists its secrets, page by page, and goes when it is empty', async () => {
      const { id, uri } = await vault('listed');
      const ids: string[] = [];
      for (const name of ['a', 'b', 'c']) ids.unshift((await secret({ vault_id: id, name })).body.id);
      const page = await platform().api('GET', `/vaults/${id}/secrets?limit=2`);
      expect(page.body).toMatchObject({ secrets: ids.slice(0, 2).map((one) => ({ id: one })), uri: `${uri}/secrets` });
      const rest = await platform().api('GET', page.body.next_page_uri);
      expect(rest.body).toMatchObject({ secrets: [{ id: ids[2] }], next_page_uri: null });
      expect((await platform().api('GET', `/vaults/vault_${'0'.repeat(27)}/secrets`)).status).toBe(404);

      expect(await platform().api('DELETE', `/vaults/${id}`)).toMatchObject(number(23003));
      expect((await platform().api('GET', `/vaults/${id}`)).status).toBe(200);
      for (const one of ids) await platform().api('DELETE', `/vault_secrets/${one}`);
      expect((await platform().api('GET', `/vaults/${id}/secrets`)).body.secrets).toEqual([]);
      expect((await platform().api('DELETE', `/vaults/${id}`)).status).toBe(204);
    });

    test('of a vault and a secret that come and go at once, no secret is left without its vault', async () => {
      for (let round = 0; round < 10; round += 1) {
        const { id } = await vault(`raced-${round}`);
        const [made, gone] = await Promise.all([secret({ vault_id: id }), platform().api('DELETE', `/vaults/${id}`)]);
        expect([
          [201, 400],
          [400, 204],
        ]).toContainEqual([made.status, gone.status]);
      }
    });

    test('no answer, no log and no file of the data folder shows a value', async () => {
      const { id } = await vault('quiet');
      const made = await secret({ vault_id: id });
      const changed = await platform().api('PATCH', `/vault_secrets/${made.body.id}`, { value: NEWER_VALUE });
      const filter = encodeURIComponent('obj.value == "x"');
      expect(await platform().api('GET', `/vault_secrets?filter=${filter}`)).toMatchObject(number(250));
      const listed = await platform().api('GET', '/vault_secrets');
      const taken = await secret({ vault_id: id, value: NEWER_VALUE });
      const shown = [made, changed, listed, taken].map(({ text }) => text);
      const copy = path.join(platform().dataDir, 'copy.db');
      expect((await postern(['backup', copy, `--data-dir=${platform().dataDir}`])).code).toBe(0);
      const files = await ofFilesIn(platform().dataDir, (file) => readFile(file, 'latin1'));
      expect([...files.keys()]).toEqual(expect.arrayContaining(['postern.db', 'copy.db']));
      shown.push(...files.values());
      for (const text of [...shown, platform().output]) {
        for (const value of [VALUE, NEWER_VALUE]) {
          expect(text.includes(value) || text.includes(Buffer.from(value).toString('base64'))).toBe(false);
        }
      }
    });
  },
);
