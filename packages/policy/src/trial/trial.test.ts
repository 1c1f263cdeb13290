import { expect, test } from 'vitest';
import { isPosternError } from '@postern/errors';
import { tryPolicy } from './trial.ts';
import { readPolicyTests } from './spec.ts';
import { judge } from './judge.ts';
import type { CompileOptions } from '../runtime.ts';

const HTTPS: CompileOptions = { protocol: 'https', binding: 'public', kind: 'agent' };

async function tryOne(policy: object, spec: object, options = HTTPS) {
  const [only] = readPolicyTests({ tests: [spec] }, Date.UTC(2026, 0, 1)).tests;
  if (only === undefined) throw new Error('there is a test');
  const trial = await tryPolicy(policy, options, only.given);
  return { trial, misses: judge(trial, only.expect) };
}

function refusal(spec: object): string {
  try {
    readPolicyTests(spec, 0);
  } catch (error) {
    if (isPosternError(error)) return error.message;
    throw error;
  }
  return 'accepted';
}

const SHOP = {
  on_http_request: [
    { name: 'health', expressions: ["req.url.path == '/health'"], actions: [{ type: 'custom-response' }] },
    {
      name: 'beta',
      expressions: ["getReqCookie('beta').value == '1' || req.headers['x-beta'][0] == 'on'"],
      actions: [
        { type: 'set-vars', config: { vars: [{ to: 'beta' }] } },
        { type: 'url-rewrite', config: { from: '^https://[^/]+', to: 'https://${vars.to}.example.com' } },
        { type: 'add-headers', config: { headers: { 'x-to': '${vars.to}' } } },
      ],
    },
    { name: 'last', actions: [{ type: 'deny', config: { status_code: 404 } }] },
    { name: 'never', actions: [{ type: 'deny' }] },
  ],
};

test('tells every rule: what its conditions came to, what its actions did, and what was not reached', async () => {
  const { trial } = await tryOne(SHOP, {
    request: { url: 'https://shop.example.com/a', headers: { cookie: 'beta=1' } },
    expect: {},
  });
  expect(trial.rules.map(({ name, state }) => [name, state])).toEqual([
    ['health', 'passed over'],
    ['beta', 'matched'],
    ['last', 'matched'],
    ['never', 'not reached'],
  ]);
  const [health, beta] = trial.rules;
  expect(health?.conditions).toEqual([
    { text: "req.url.path == '/health'", value: false, parts: [{ text: 'req.url.path', value: '/a' }] },
  ]);
  expect(beta?.conditions[0]?.parts).toEqual([
    { text: "getReqCookie('beta')", value: expect.objectContaining({ value: '1' }) },
    { text: "getReqCookie('beta').value", value: '1' },
    { text: "getReqCookie('beta').value == '1'", value: true },
  ]);
  expect(beta?.actions.map(({ type, did }) => [type, did])).toEqual([
    ['set-vars', ['sets vars.to = "beta"']],
    [
      'url-rewrite',
      [
        'takes away request header host: shop.example.com',
        'makes the request GET https://beta.example.com/a',
        'adds request header host: beta.example.com',
      ],
    ],
    ['add-headers', ['adds request header x-to: beta']],
  ]);
  expect(beta?.actions[1]?.parts).toEqual([{ text: 'vars.to', value: 'beta' }]);
  expect(trial.rules[2]?.actions[0]?.did).toEqual(['answers 404']);
});

test('an expression that fails is shown with its reason, and its rule is passed over', async () => {
  const { trial } = await tryOne(SHOP, { request: 'https://shop.example.com/', expect: {} });
  const [condition] = trial.rules[1]?.conditions ?? [];
  expect(condition?.failure).toBe('no such key');
  expect(condition?.parts.at(-1)?.failure).toBe(condition?.failure);
  expect(trial.rules[1]?.state).toBe('passed over');
  expect(trial.warnings).toEqual([expect.stringMatching(/^on_http_request\[1\]\.expressions\[0\] failed/)]);
});

test('the phases run in the order of the edge, each with its own variables', async () => {
  const policy = {
    on_tcp_connect: [{ actions: [{ type: 'restrict-ips', config: { deny: ['192.0.2.1'] } }] }],
    on_http_request: [{ actions: [{ type: 'set-vars', config: { vars: [{ a: 1 }] } }] }],
    on_http_response: [
      { expressions: ["vars.a == 1 || conn.client_ip == ''"], actions: [{ type: 'custom-response' }] },
      { actions: [{ type: 'add-headers', config: { headers: { 'x-a': '${req.method} ${res.status_code}' } } }] },
    ],
  };
  const passed = await tryOne(policy, {
    request: 'DELETE https://shop.example.com/',
    service: { status: 202, headers: { server: 'x' } },
    expect: { status: 202, headers: { 'x-a': 'DELETE 202', server: 'x' } },
  });
  expect(passed.misses).toEqual([]);
  const refused = await tryOne(policy, {
    request: { url: 'https://shop.example.com/', client_ip: '192.0.2.1' },
    expect: { closed: true, service: 'none', results: { restrict_ips: { action: 'deny' } } },
  });
  expect(refused.misses).toEqual([]);
});

test('answers of rules and their errors pass the response rules, pages of the edge do not', async () => {
  const marked = { actions: [{ type: 'add-headers', config: { headers: { 'x-seen': 'yes' } } }] };
  const policy = (action: object): object => ({ on_http_request: [{ actions: [action] }], on_http_response: [marked] });
  const seen = async (action: object, more: object = {}): Promise<unknown> => {
    const { trial } = await tryOne(policy(action), { request: 'https://a.example.com/', expect: {}, ...more });
    return [trial.verdict.status, trial.verdict.headers.some(([name]) => name === 'x-seen')];
  };
  expect(await seen({ type: 'deny' })).toEqual([403, true]);
  expect(await seen({ type: 'restrict-ips', config: { allow: ['192.0.2.1'] } })).toEqual([403, true]);
  const forward = { type: 'forward-internal', config: { url: 'https://a.internal' } };
  expect(await seen(forward)).toEqual([200, true]);
  expect(await seen(forward, { service: 'offline' })).toEqual([404, false]);
});

test('a tcp endpoint has connections alone', async () => {
  const tcp: CompileOptions = { ...HTTPS, protocol: 'tcp' };
  const policy = {
    on_tcp_connect: [{ actions: [{ type: 'forward-internal', config: { url: 'tcp://db.internal:1' } }] }],
  };
  const { misses } = await tryOne(
    policy,
    { request: 'tcp://a.example.com:5432', expect: { connected: true, forward: 'tcp://db.internal:1' } },
    tcp,
  );
  expect(misses).toEqual([]);
});

test('what is not as expected is said, and nothing else', async () => {
  const { misses } = await tryOne(SHOP, {
    request: 'https://shop.example.com/health',
    expect: {
      status: 201,
      headers: { 'x-a': 'b', 'content-type': null },
      body_contains: 'x',
      error: 'none',
      service: { method: 'GET' },
      vars: { a: { b: 1 } },
      matched: ['beta'],
    },
  });
  expect(misses).toEqual([
    { what: 'status', expected: 201, got: 200 },
    { what: 'headers.x-a', expected: ['b'], got: null },
    { what: 'body_contains', expected: 'x', got: '' },
    { what: 'service', expected: 'a request', got: 'none' },
    { what: 'vars.a.b', expected: 1, got: null },
    { what: 'matched', expected: ['beta'], got: ['health'] },
  ]);
});

test('what a policy asks for and is not given is said', async () => {
  const policy = {
    on_http_request: [
      {
        actions: [
          { type: 'http-request', config: { url: 'https://auth.internal/' } },
          { type: 'restrict-ips', config: { ip_policies: ['ipp_a'] } },
        ],
      },
    ],
  };
  const { trial } = await tryOne(policy, { request: 'https://a.example.com/', expect: {} });
  expect(trial.notes).toEqual([
    'no answer is given for GET https://auth.internal/ (calls)',
    'no IP policy ipp_a is given (ip_policies)',
  ]);
  expect(trial.verdict.error).toBe('ERR_NGROK_2216');
});

test('a file of tests is read strictly', () => {
  const spec = (more: object): object => ({ tests: [{ request: 'https://a.example.com/', expect: {}, ...more }] });
  expect(refusal(spec({}))).toBe('accepted');
  expect(refusal(spec({ expect: { statuss: 200 } }))).toMatch(/^file\.tests\[0\]\.expect\.statuss: .*status/);
  expect(refusal(spec({ now: 'soon' }))).toMatch(/^tests\[0\]\.now: /);
  expect(refusal(spec({ request: '/only/a/path' }))).toMatch(/^tests\[0\]\.request\.url: /);
  expect(refusal({ tests: [] })).toMatch(/^file\.tests/);
});
