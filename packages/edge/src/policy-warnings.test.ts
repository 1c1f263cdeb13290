import { compilePolicy } from '@postern/policy';
import { expect, test } from 'vitest';
import { dial, get, harness } from './testing/http-harness.ts';
import { nodeService } from './testing/services.ts';
import { policyWarningCount } from './policy-warnings.ts';
import { endpoint, upstream } from './testing/fixtures.ts';

test('a failing expression is logged once a minute for its place, and counted each time', async () => {
  await using service = await nodeService((_request, response) => response.end('ok'));
  const failing = ["req.headers['x-none'][0] == 'a'", '1 / int(size(req.method) - 3) == 1'];
  const rules = failing.map((one) => ({ expressions: [one], actions: [{ type: 'deny' }] }));
  const policies = {
    p: compilePolicy({ on_http_request: rules }, { protocol: 'http', binding: 'public', kind: 'agent' }),
  };
  await using edge = await harness({ agents: { s1: dial(service.port) }, policies });
  const said: string[] = [];
  let now = Date.now();
  Object.assign(edge.context, { now: () => now });
  edge.context.log.warn = (fields, message) => said.push(`${JSON.stringify(fields)} ${message}`);
  edge.publish(endpoint('ep_1', 'http', 'app.test', { policy: 'p', upstreams: [upstream('s1', 't1')] }));
  const ask = (): Promise<string> => edge.talk(get('/', 'Connection: close\r\n'));
  for (let i = 0; i < 5; i++) expect(await ask()).toContain('200 OK');
  expect(said).toHaveLength(2);
  expect(said[0]).toContain('on_http_request[0].expressions[0] failed');
  expect(policyWarningCount(edge.context)).toBe(10);
  now += 61_000;
  await ask();
  expect(said).toHaveLength(4);
  expect(said[2]).toContain('"unsaid":4');
});
