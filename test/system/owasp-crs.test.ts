/** The actions owasp-crs-*, through the running server, with a small set of rules of this test's own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { AgentSession } from '@postern/agent';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentOf } from '../support/agent.ts';
import { Platform, type Visit } from '../support/platform.ts';
import { httpUpstream, type Upstream } from '../support/upstream.ts';
import { connectHttp2, requestHttp2 } from '../support/visit-http2.ts';

const SETUP = `
SecDefaultAction "phase:1,log,pass"
SecDefaultAction "phase:2,log,pass"
SecAction "id:900990,phase:1,pass,nolog,setvar:tx.inbound_anomaly_score_threshold=5,setvar:tx.outbound_anomaly_score_threshold=4"
`;
const RULES = `
SecRule REQUEST_FILENAME|ARGS "@pmFromFile files.data" "id:930120,phase:2,block,t:none,t:urlDecodeUni,t:normalizePathWin,\\
    msg:'File',severity:'CRITICAL',setvar:tx.anomaly_score=+5"
SecRule ARGS|REQUEST_COOKIES "@rx (?i)<script[^>]*>" "id:941110,phase:2,block,t:none,t:urlDecodeUni,t:htmlEntityDecode,msg:'XSS',\\
    severity:'CRITICAL',setvar:tx.anomaly_score=+5"
SecRule ARGS|XML:/* "@rx (?i)\\bunion\\s+select\\b" "id:942190,phase:2,block,t:none,t:urlDecodeUni,t:replaceComments,msg:'SQL',\\
    logdata:'%{MATCHED_VAR_NAME}',severity:'CRITICAL',setvar:tx.anomaly_score=+5"
SecRule TX:anomaly_score "@ge %{tx.inbound_anomaly_score_threshold}" "id:949110,phase:2,deny,t:none,msg:'Score'"
SecRule RESPONSE_BODY "@rx \\bORA-[0-9]{5}\\b" "id:951110,phase:4,block,msg:'Oracle',setvar:tx.outbound_anomaly_score=+5"
SecRule TX:outbound_anomaly_score "@ge %{tx.outbound_anomaly_score_threshold}" "id:959100,phase:4,deny,t:none,msg:'Score'"
`;

const folder = mkdtempSync(path.join(os.tmpdir(), 'postern-rules-'));
mkdirSync(path.join(folder, 'rules'));
writeFileSync(path.join(folder, 'crs-setup.conf'), SETUP);
writeFileSync(path.join(folder, 'rules', 'REQUEST-900.conf'), RULES);
writeFileSync(path.join(folder, 'rules', 'files.data'), '# of systems\netc/passwd\n');

let platform: Platform;
let agent: AgentSession;
let service: Upstream;
let bodies: string[];

beforeAll(async () => {
  service = await httpUpstream((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      bodies.push(body);
      response.setHeader('content-type', 'text/plain');
      response.end(request.url === '/leak' ? `failed: ORA-00942 ${'x'.repeat(9_000)}` : 'served');
    });
  });
  bodies = [];
  platform = await Platform.start({ args: [`--owasp-crs=${folder}`] });
  agent = agentOf(platform);
});
afterAll(async () => {
  await agent?.close();
  await platform?.dispose();
  await service?.close();
  rmSync(folder, { recursive: true, force: true });
});

const action = (type: string, config: object = {}): object => ({ actions: [{ type, config }] });
const served = action('custom-response', { body: 'served' });

type Ask = (
  target: string,
  options?: { method?: string; body?: string; headers?: Record<string, string> },
) => Promise<Visit>;

/** The same over both protocols. */
async function overBoth(url: string, judge: (ask: Ask) => Promise<void>): Promise<void> {
  await judge((target, options = {}) => platform.visit(`${url}${target}`, options));
  const session = connectHttp2(platform, url);
  try {
    await judge((target, options = {}) => requestHttp2(session, target, options));
  } finally {
    session.destroy();
  }
}

const codeOf = ({ status, headers, text }: Visit): string =>
  `${status} ${String(headers['ngrok-error-code'] ?? text.slice(0, 6))}`;

async function create(url: string, policy: object): Promise<void> {
  const made = await platform.api('POST', '/endpoints', { url, traffic_policy: JSON.stringify(policy) });
  expect(made.status, made.text).toBe(201);
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

describe('owasp-crs-request', () => {
  test('turns attacks away from a cloud endpoint, over HTTP/1 and HTTP/2', async () => {
    const url = 'https://crs-cloud.example.com';
    await create(url, { on_http_request: [action('owasp-crs-request', { process_body: true }), served] });
    await overBoth(url, async (ask) => {
      expect(codeOf(await ask('/?q=select+a+union+member'))).toBe('200 served');
      expect(codeOf(await ask('/?q=1%20UNION/**/SELECT%202'))).toBe('403 ERR_NGROK_3700');
      expect(codeOf(await ask('/?q=%3Cscript%3Ealert(1)%3C/script%3E'))).toBe('403 ERR_NGROK_3700');
      expect(codeOf(await ask('/?f=../../etc/passwd'))).toBe('403 ERR_NGROK_3700');
      expect(codeOf(await ask('/a/..%2f..%2fetc%2fpasswd'))).toBe('403 ERR_NGROK_3700');
      expect(codeOf(await ask('/', { headers: { cookie: 'a=<script>' } }))).toBe('403 ERR_NGROK_3700');
      const body = 'q=1+union+select+2';
      expect(codeOf(await ask('/', { method: 'POST', headers: FORM, body }))).toBe('403 ERR_NGROK_3700');
      const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":["union select"]}' };
      expect(codeOf(await ask('/', json))).toBe('403 ERR_NGROK_3700');
    });
  });

  test('hands what it lets through to an agent, with the body as it came', async () => {
    const forwarder = await agent.listen({
      upstream: service.url,
      url: 'https://crs-agent.example.com',
      trafficPolicy: JSON.stringify({
        on_http_request: [action('owasp-crs-request', { process_body: true })],
        on_http_response: [action('owasp-crs-response', { process_body: true })],
      }),
    });
    await overBoth(forwarder.url, async (ask) => {
      bodies = [];
      const large = `a=${'x'.repeat(300_000)}`;
      expect(codeOf(await ask('/', { method: 'POST', headers: FORM, body: large }))).toBe('200 served');
      expect(bodies).toEqual([large]);
      const attack = `b=union+select&${large}`;
      expect(codeOf(await ask('/', { method: 'POST', headers: FORM, body: attack }))).toBe('403 ERR_NGROK_3700');
      expect(bodies).toEqual([large]);
      expect(codeOf(await ask('/leak'))).toBe('403 ERR_NGROK_3702');
      expect(codeOf(await ask('/'))).toBe('200 served');
    });
  });

  test('leaves out rules, looks at no body unasked, and only tells where it is to go on', async () => {
    const quiet = 'https://crs-quiet.example.com';
    await create(quiet, { on_http_request: [action('owasp-crs-request', { exclude_rule_ids: [942190] }), served] });
    await overBoth(quiet, async (ask) => {
      expect(codeOf(await ask('/?q=union+select'))).toBe('200 served');
      expect(codeOf(await ask('/?q=<script>'))).toBe('403 ERR_NGROK_3700');
      expect(codeOf(await ask('/', { method: 'POST', headers: FORM, body: 'q=<script>' }))).toBe('200 served');
    });
    const trying = 'https://crs-trying.example.com';
    const result = 'actions.ngrok.owasp_crs_request';
    const body = `\${${result}.decision} \${${result}.anomaly_score} \${${result}.matched_rules[0].id} \${${result}.matched_rules[0].data}`;
    await create(trying, {
      on_http_request: [action('owasp-crs-request', { on_error: 'continue' }), action('custom-response', { body })],
    });
    await overBoth(trying, async (ask) => {
      expect((await ask('/?q=union+select')).text).toBe('deny 5 942190 ARGS:q');
      expect((await ask('/?q=union')).text).toBe('allow 0  ');
    });
  });
});

describe('rules', () => {
  test('are needed where a policy is written', async () => {
    const other = await Platform.start();
    try {
      const policy = JSON.stringify({ on_http_request: [action('owasp-crs-request'), served] });
      const made = await other.api('POST', '/endpoints', { url: 'https://none.example.com', traffic_policy: policy });
      expect(made.status).toBe(400);
      expect(made.text).toMatch(/ERR_NGROK_90029/);
      expect(made.text).toMatch(/--owasp-crs/);
    } finally {
      await other.dispose();
    }
  });

  test('with a mistake stop the start, which says where it is', async () => {
    const broken = mkdtempSync(path.join(os.tmpdir(), 'postern-rules-'));
    try {
      mkdirSync(path.join(broken, 'rules'));
      writeFileSync(path.join(broken, 'crs-setup.conf'), SETUP);
      writeFileSync(path.join(broken, 'rules', 'a.conf'), '\n\nSecRule ARGS "@rx a" "id:1,what"\n');
      const start = Platform.start({ args: [`--owasp-crs=${broken}`] });
      await expect(start).rejects.toThrow(/a\.conf:3: "what" is no action/);
      await expect(Platform.start({ args: [`--owasp-crs=${path.join(broken, 'rules')}`] })).rejects.toThrow(
        /no rules\/\*\.conf/,
      );
    } finally {
      rmSync(broken, { recursive: true, force: true });
    }
  });
});
