/** `--workers 2`: two processes that serve, from outside. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Platform } from '../support/platform.ts';
import { metric } from '../support/metrics.ts';

let platform: Platform;
beforeAll(async () => {
  platform = await Platform.start({ args: ['--workers=2'] });
});
afterAll(() => platform.dispose());

test('answers', async () => {
  const made = await platform.api('POST', '/endpoints', {
    url: 'http://a.test',
    traffic_policy: JSON.stringify({
      on_http_request: [{ actions: [{ type: 'custom-response', config: { status_code: 200, body: 'hi' } }] }],
    }),
    bindings: ['public'],
  });
  expect(made.status).toBe(201);
  for (let n = 0; n < 20; n++) expect((await platform.visit('http://a.test/')).text).toBe('hi');
  expect(await metric(platform, 'postern_workers')).toBe(2);
});
