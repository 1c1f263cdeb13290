import { PLAIN } from '@postern/resources';
import { expect, test } from 'vitest';
import { describeResource } from '../support/resource.ts';

const TEXTS = { description: 'of the staging site', metadata: 'env=staging' };
const USER = expect.stringMatching(/^usr_[0-9A-Za-z]{27}$/);

describeResource(
  {
    definition: PLAIN.vaults,
    create: (index) => ({ ...TEXTS, name: `apps/web-${index}_1.0` }),
    update: { name: 'other', description: '' },
    shown: () => ({
      ...TEXTS,
      name: 'apps/web-0_1.0',
      updated_at: expect.any(String),
      created_by: USER,
      last_updated_by: USER,
    }),
  },
  (platform) => {
    test('a name is of one vault, and of plain characters', async () => {
      const make = (name: string) => platform().api('POST', '/vaults', { name });
      const first = await make('one');
      const second = await make('two');
      const number = (code: number) => ({ status: 400, body: { error_code: `ERR_NGROK_${code}` } });
      expect(await make('one')).toMatchObject(number(23004));
      expect(await platform().api('PATCH', `/vaults/${second.body.id}`, { name: 'one' })).toMatchObject(number(23004));
      for (const name of ['a b', 'ä', 'a"b', 'a\nb']) expect(await make(name)).toMatchObject(number(23000));
      // A name that is free again is nobody's.
      expect((await platform().api('DELETE', `/vaults/${first.body.id}`)).status).toBe(204);
      expect((await platform().api('PATCH', `/vaults/${second.body.id}`, { name: 'one' })).status).toBe(200);
    });

    test('who changed it last is who did', async () => {
      const bot = await platform().api('POST', '/bot_users', { name: 'deployer' });
      const key = await platform().api('POST', '/api_keys', { owner_id: bot.body.id });
      const vault = await platform().api('POST', '/vaults', { name: 'shared' });
      const authorization = `Bearer ${key.body.token}`;
      const changed = await platform().api('PATCH', `/vaults/${vault.body.id}`, { metadata: 'm' }, { authorization });
      expect(changed.body).toMatchObject({ created_by: vault.body.created_by, last_updated_by: bot.body.id });
    });

    test('is found by its name', async () => {
      await platform().api('POST', '/vaults', { name: 'found' });
      const found = await platform().api('GET', `/vaults?filter=${encodeURIComponent('obj.name == "found"')}`);
      expect(found.body.vaults).toMatchObject([{ name: 'found' }]);
    });
  },
);
