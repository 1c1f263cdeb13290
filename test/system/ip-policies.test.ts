import { StreamType } from '@postern/protocol';
import { PLAIN } from '@postern/resources';
import { expect, test } from 'vitest';
import { RawAgent } from '../support/raw-agent.ts';
import { describeResource } from '../support/resource.ts';

describeResource(
  {
    definition: PLAIN.ipPolicies,
    create: (index) => ({ description: `office ${index}`, metadata: 'env=staging' }),
    update: { description: '', metadata: 'env=production' },
    shown: () => ({ description: 'office 0', metadata: 'env=staging' }),
  },
  (platform) => {
    test('an agent names one when it binds, and has to name one that is there', async () => {
      const server = platform();
      const policy = await server.api('POST', '/ip_policies', {});
      const agent = await RawAgent.connect(server);
      expect(await agent.auth({ authtoken: server.authtoken })).toBe('');
      const bind = (proto: string, ref: unknown, opts: object = {}) =>
        agent.ask(
          StreamType.bind,
          Buffer.from(JSON.stringify({ Proto: proto, Opts: opts, Extra: { IPPolicyRef: ref } })),
        );

      expect(await bind('http', 'ipp_none')).toMatchObject({
        Error: expect.stringMatching(/"ipp_none".*\s+ERR_NGROK_341/),
      });
      const url = 'http://policy-of-agent.example.com';
      expect(await bind('http', policy.body.id, { URL: url })).toMatchObject({ Error: '' });
      expect(await bind('tcp', policy.body.id)).toMatchObject({ Error: '' });
      // It has no rule that lets anybody in.
      const answer = await server.visit(url);
      expect([answer.status, answer.text]).toEqual([403, expect.stringContaining('ERR_NGROK_3203')]);
      agent.close();
    });
  },
);
