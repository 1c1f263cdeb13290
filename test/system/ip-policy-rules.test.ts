import { PLAIN } from '@postern/resources';
import { expect, test } from 'vitest';
import { describeResource } from '../support/resource.ts';

describeResource(
  {
    definition: PLAIN.ipPolicyRules,
    before: async (platform) => (await platform.api('POST', '/ip_policies', {})).body,
    create: (index, policy) => ({
      description: 'office',
      cidr: `10.${index}.0.0/16`,
      action: 'allow',
      ip_policy_id: policy['id'],
    }),
    update: { description: '', cidr: '2001:DB8::/32' },
    shown: (policy) => ({
      description: 'office',
      cidr: '10.0.0.0/16',
      action: 'allow',
      ip_policy: { id: policy['id'], uri: policy['uri'] },
    }),
  },
  (platform) => {
    const number = (code: number) => ({ status: 400, body: { error_code: `ERR_NGROK_${code}` } });
    const policy = async (): Promise<string> => (await platform().api('POST', '/ip_policies', {})).body.id as string;
    const rule = (ip_policy_id: string, body: object = {}) =>
      platform().api('POST', '/ip_policy_rules', { cidr: '192.0.2.0/24', action: 'deny', ip_policy_id, ...body });

    test('a network is one, without bits behind its mask, and once in its policy', async () => {
      const id = await policy();
      const first = await rule(id);
      expect(first.status, first.text).toBe(201);
      expect(await rule(id, { action: 'allow' })).toMatchObject(number(1408));
      expect((await rule(await policy())).status).toBe(201);
      for (const [cidr, code] of [
        ['office', 1406],
        ['192.0.2.1', 1413],
        ['192.0.2.1/24', 1409],
      ] as const) {
        expect(await rule(id, { cidr })).toMatchObject(number(code));
        expect(await platform().api('PATCH', `/ip_policy_rules/${first.body.id}`, { cidr })).toMatchObject(
          number(code),
        );
      }
      expect((await rule(id, { cidr: '192.0.2.1/24' })).body.msg).toContain('192.0.2.0/24');
      expect(await rule(id, { action: 'maybe' })).toMatchObject(number(1422));
      expect(await platform().api('PATCH', `/ip_policy_rules/${first.body.id}`, { action: 'allow' })).toMatchObject(
        number(214),
      );
    });

    test('its policy has to be there, and takes it along', async () => {
      expect(await rule(`ipp_${'0'.repeat(27)}`)).toMatchObject(number(1414));
      const [id, other] = [await policy(), await policy()];
      const rules = [(await rule(id)).body, (await rule(id, { cidr: '::/0' })).body];
      const stays = (await rule(other)).body;
      expect((await platform().api('DELETE', `/ip_policies/${id}`)).status).toBe(204);
      for (const gone of rules) expect((await platform().api('GET', `/ip_policy_rules/${gone.id}`)).status).toBe(404);
      expect((await platform().api('GET', `/ip_policy_rules/${stays.id}`)).body).toEqual(stays);
    });

    test('of a policy and a rule that come and go at once, no rule is left without its policy', async () => {
      for (let round = 0; round < 10; round += 1) {
        const id = await policy();
        const there = (await rule(id)).body;
        const [made, changed, gone] = await Promise.all([
          rule(id, { cidr: '::/0' }),
          platform().api('PATCH', `/ip_policy_rules/${there.id}`, { description: 'other' }),
          platform().api('DELETE', `/ip_policies/${id}`),
        ]);
        expect([201, 400]).toContain(made.status);
        expect([200, 404]).toContain(changed.status);
        expect(gone.status).toBe(204);
        const filter = encodeURIComponent(`obj.ip_policy == "${id}"`);
        expect((await platform().api('GET', `/ip_policy_rules?filter=${filter}`)).body.ip_policy_rules).toEqual([]);
      }
    });
  },
);
