/** The OWASP Core Rule Set itself, as Debian has it, in front of an agent and of a cloud endpoint. */
import type { AgentSession } from '@postern/agent';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentOf } from '../support/agent.ts';
import { coreRuleSet } from '../support/core-rule-set.ts';
import { Platform, type Visit } from '../support/platform.ts';
import { httpUpstream, type Upstream } from '../support/upstream.ts';
import { connectHttp2, requestHttp2 } from '../support/visit-http2.ts';

const rules = coreRuleSet();
// Not required: a machine without apt, or whose apt reaches nothing, cannot have it.
if (typeof rules === 'string') console.warn(`skipped: the OWASP Core Rule Set: ${rules}`);

const action = (type: string, config: object = {}): object => ({ actions: [{ type, config }] });
const POLICY = {
  on_http_request: [action('owasp-crs-request', { process_body: true })],
  on_http_response: [action('owasp-crs-response', { process_body: true })],
};
const BROWSER = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0', accept: 'text/html,*/*;q=0.8' };
const FORM = { ...BROWSER, 'content-type': 'application/x-www-form-urlencoded' };

const codeOf = ({ status, headers, text }: Visit): string =>
  `${status} ${String(headers['ngrok-error-code'] ?? text.slice(0, 6))}`;

type Ask = (target: string, body?: string) => Promise<string>;

describe.skipIf(typeof rules === 'string')('the core rule set', () => {
  let platform: Platform;
  let agent: AgentSession;
  let service: Upstream;

  beforeAll(async () => {
    service = await httpUpstream((request, response) => {
      request.resume();
      request.on('end', () => {
        response.setHeader('content-type', 'text/html');
        const leak =
          'You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version';
        response.end(request.url === '/leak' ? leak : 'served');
      });
    });
    platform = await Platform.start({
      args: (typeof rules === 'string' ? [] : rules).map((one) => `--owasp-crs=${one}`),
    });
    agent = agentOf(platform);
  });
  afterAll(async () => {
    await agent?.close();
    await platform?.dispose();
    await service?.close();
  });

  async function overBoth(url: string, judge: (ask: Ask) => Promise<void>): Promise<void> {
    const options = (body?: string): object =>
      body === undefined
        ? { headers: BROWSER }
        : { method: 'POST', headers: { ...FORM, 'content-length': String(body.length) }, body };
    await judge(async (target, body) => codeOf(await platform.visit(`${url}${target}`, options(body))));
    const session = connectHttp2(platform, url);
    try {
      await judge(async (target, body) => codeOf(await requestHttp2(session, target, options(body))));
    } finally {
      session.destroy();
    }
  }

  async function judged(ask: Ask): Promise<void> {
    expect(await ask('/')).toBe('200 served');
    expect(await ask('/products?q=red+shoes&page=2')).toBe('200 served');
    expect(await ask('/comment', 'name=John+and+Mary&text=It%27s+fine%2C+really')).toBe('200 served');
    expect(await ask(`/?id=${encodeURIComponent("1' OR '1'='1")}`)).toBe('403 ERR_NGROK_3700');
    expect(await ask(`/?id=${encodeURIComponent('1 UNION SELECT password FROM users')}`)).toBe('403 ERR_NGROK_3700');
    expect(await ask(`/?q=${encodeURIComponent('<script>alert(1)</script>')}`)).toBe('403 ERR_NGROK_3700');
    expect(await ask('/?file=../../../../etc/passwd')).toBe('403 ERR_NGROK_3700');
    expect(await ask(`/?cmd=${encodeURIComponent(';cat /etc/passwd')}`)).toBe('403 ERR_NGROK_3700');
    expect(await ask('/comment', `text=${encodeURIComponent('<img src=x onerror=alert(1)>')}`)).toBe(
      '403 ERR_NGROK_3700',
    );
  }

  test('stands in front of an agent', async () => {
    const { url } = await agent.listen({
      upstream: service.url,
      url: 'https://core-agent.example.com',
      trafficPolicy: JSON.stringify(POLICY),
    });
    await overBoth(url, judged);
    await overBoth(url, async (ask) => expect(await ask('/leak')).toBe('403 ERR_NGROK_3702'));
  });

  test('stands in front of a cloud endpoint', async () => {
    const url = 'https://core-cloud.example.com';
    const served = action('custom-response', { body: 'served' });
    const policy = { on_http_request: [...POLICY.on_http_request, served], on_http_response: POLICY.on_http_response };
    const made = await platform.api('POST', '/endpoints', { url, traffic_policy: JSON.stringify(policy) });
    expect(made.status, made.text).toBe(201);
    await overBoth(url, judged);
  });
});
