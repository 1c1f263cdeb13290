import { describe, expect, it } from 'vitest';
import { compilePolicy } from './index.ts';
import { AGENT, CLOUD, refusal, rule } from './testing/run.ts';

const R = 'on_http_request';
const S = 'on_http_response';
const T = 'on_tcp_connect';

describe('compilePolicy', () => {
  it('accepts JSON, YAML and values, and makes nothing of phases without rules', () => {
    for (const source of [
      '{"on_http_request":[{"actions":[{"type":"deny","config":{"status_code":404}}]}]}',
      'on_http_request:\n  - actions:\n      - type: deny\n        config:\n          status_code: "404"\n',
      rule(R, { type: 'deny' }),
    ]) {
      const policy = compilePolicy(source, AGENT);
      expect(policy.onHttpRequest?.name).toBe(R);
      expect(policy.onTcpConnect).toBeNull();
      expect(policy.onHttpResponse).toBeNull();
    }
    expect(compilePolicy('', AGENT).onHttpRequest).toBeNull();
    expect(compilePolicy({ on_http_request: null }, AGENT).onHttpRequest).toBeNull();
  });

  it.each([
    [rule(R, { type: 'deny' }, { type: 'deny' }), '2207 on_http_request[0].actions[1]: '],
    [rule(R, { type: 'dney' }), '2201 on_http_request[0].actions[0]: the action "dney"'],
    [rule(R, { type: 'compress-response' }), '2202 on_http_request[0].actions[0]: '],
    [rule(R, { type: 'ai-gateway' }, { type: 'deny' }), '2207 on_http_request[0].actions[1]: '],
    [rule(R, { type: 'oidc' }), '2234 on_http_request[0].actions[0].config: the field "issuer_url"'],
    [
      rule(R, { type: 'deny', config: { status_code: 'x' } }),
      '2204 on_http_request[0].actions[0].config.status_code: ',
    ],
    [
      rule(R, { type: 'deny', config: { status_code: 1000 } }),
      '2215 on_http_request[0].actions[0].config.status_code: 1000 is outside 100 to 599',
    ],
    [rule(R, { type: 'deny', config: { body: 'x' } }), '2203 on_http_request[0].actions[0].config.body: '],
    [rule(R, { type: 'deny', config: 'x' }), '2203 on_http_request[0].actions[0].config: '],
    [rule(R, { type: 'deny', url: 'x' }), '2203 on_http_request[0].actions[0].url: '],
    [rule(R, { config: {} }), '2234 on_http_request[0].actions[0]: the field "type"'],
    [rule(R, { type: 'forward-internal' }), '2234 on_http_request[0].actions[0].config: the field "url"'],
    [{ on_http_request: [{ actions: ['deny'] }] }, '2203 on_http_request[0].actions[0]: '],
    [{ on_http_reqest: [] }, '2203 on_http_reqest: '],
    [{ on_http_request: { actions: [] } }, '2203 on_http_request: a phase is a list'],
    [{ on_http_request: [{ actions: [] }] }, '2206 on_http_request[0]: '],
    [{ on_http_request: [{ if: 'x', actions: [{ type: 'deny' }] }] }, '2203 on_http_request[0].if: '],
    [{ on_http_request: [{ expressions: 'x', actions: [{ type: 'deny' }] }] }, '2203 on_http_request[0].expressions: '],
    [{ on_http_request: [{ name: 'x'.repeat(1025), actions: [{ type: 'deny' }] }] }, '2208 on_http_request[0].name: '],
    [{ on_http_request: Array.from({ length: 251 }, () => ({ actions: [{ type: 'deny' }] })) }, '2264 policy: 251'],
    [rule(R, ...Array.from({ length: 101 }, () => ({ type: 'deny' }))), '2265 on_http_request[0].actions: 101'],
    [[], '2236 '],
    ['just text', '2236 '],
    ['{"on_http_request": [', '2236 '],
    ['a: 1\na: 2', '2236 '],
    // Nothing that was written is passed over: of two names or two documents, one might deny.
    ['{"on_http_request": [{"actions": [{"type": "deny"}]}], "on_http_request": []}', '2236 '],
    ['{"on_http_request": [{"actions": [{"type": "deny", "type": "log", "config": {"metadata": {}}}]}]}', '2236 '],
    ['on_http_request: []\n---\non_http_request:\n  - actions:\n      - type: deny\n', '2236 '],
    [' '.repeat(70_000), '90031 '],
  ])('names the place of the mistake in %j', (source, expected) => {
    expect(refusal(source).slice(0, expected.length)).toBe(expected);
  });

  it.each([
    ['req.foo == 1', '2200', 'there is no variable req.foo'],
    ['req.method', '2200', 'gives string'],
    ['res.status_code == 200', '2200', 'does not exist in on_http_request'],
    ['req.url.path.ends_with("x")', '2200', 'no function ends_with()'],
    ['req.method.startsWith("a", "b")', '2200', 'does not take 2 arguments'],
    ['req.content_length.startsWith("a")', '2200', 'does not apply to (int, string)'],
    ['req.method > 5', '2200', '">" does not apply to string and int'],
    ['req.method && true', '2200', '"&&" needs true or false'],
    ['(req.method == "GET"', '2200', 'the "(" at character 1 is not closed'],
    ['req.method == "GET', '2200', 'the text that begins at character 15 is not closed'],
    ['${req.method} == "GET"', '2200', 'plain CEL'],
    ['', '2200', 'it is empty'],
    ['req.method.matches("(")', '2200', 'a regular expression does not compile'],
    ['conn.tls == ""', '2200', 'is a group of variables'],
    ['actions.ngrok.nothing.x == 1', '2200', 'no action with results at actions.ngrok.nothing'],
    ['conn.client_ip.categories == "tor"', '2200', '"==" does not apply to list and string'],
    [`${'('.repeat(200)}true${')'.repeat(200)}`, '2200', 'nested more than'],
    [`${'!'.repeat(200)}true`, '2200', 'nested more than'],
    ['[1].all(a, [1].all(b, [1].all(c, [1].all(d, true))))', '2200', 'nested more than 3 deep'],
  ])('refuses the expression %s', (expression, number, words) => {
    const message = refusal({ on_http_request: [{ expressions: ['true', expression], actions: [{ type: 'deny' }] }] });
    expect(message.startsWith(`${number} on_http_request[0].expressions[1]: `)).toBe(true);
    expect(message).toContain(words);
  });

  it('finds mistakes inside ${}', () => {
    const body = (text: string): string => refusal(rule(R, { type: 'custom-response', config: { body: text } }));
    expect(body('${req.nothing}')).toMatch(/^2224 on_http_request\[0\]\.actions\[0\]\.config\.body: .*req\.nothing/);
    expect(body('${req.method')).toMatch(/^2224 .*not closed/);
    expect(body('$${req.method')).toBe('accepted');
    const header = rule(R, { type: 'add-headers', config: { headers: { 'x-a': '${nope}' } } });
    expect(refusal(header)).toMatch(/^2224 on_http_request\[0\]\.actions\[0\]\.config\.headers\.x-a: /);
  });

  it('knows which phases and actions fit which endpoint', () => {
    const tcp = { protocol: 'tcp', binding: 'public', kind: 'agent' } as const;
    const internal = { ...AGENT, binding: 'internal' } as const;
    expect(refusal(rule(R, { type: 'deny' }), tcp)).toMatch(/^2230 on_http_request: /);
    expect(refusal(rule(T, { type: 'deny' }), tcp)).toBe('accepted');
    expect(refusal(rule(T, { type: 'deny' }), internal)).toMatch(/^2262 on_tcp_connect: /);
    expect(refusal(rule(T, { type: 'terminate-tls' }), tcp)).toMatch(/^2205 on_tcp_connect\[0\]\.actions\[0\]: /);
    expect(refusal(rule(T, { type: 'terminate-tls' }), { ...tcp, protocol: 'tls' })).toBe('accepted');
  });

  it('wants cloud endpoints to end every path', () => {
    expect(refusal('', CLOUD)).toMatch(/^2235 /);
    // Of connections, rules with conditions may decide together: weighted routes.
    const tcp = { ...CLOUD, protocol: 'tcp' } as const;
    const route = (low: number, high: number): object => ({
      expressions: [`rand.int(0, 99) >= ${low}`, `rand.int(0, 99) <= ${high}`],
      actions: [{ type: 'forward-internal', config: { url: `tcp://to-${low}.internal:1` } }],
    });
    expect(refusal({ on_tcp_connect: [route(0, 49), route(50, 99)] }, tcp)).toBe('accepted');
    expect(
      refusal({ on_tcp_connect: [{ actions: [{ type: 'restrict-ips', config: { deny: ['1.1.1.1'] } }] }] }, tcp),
    ).toMatch(/^2235 /);
    expect(refusal(rule(S, { type: 'deny' }), CLOUD)).toMatch(/^2202 /);
    expect(refusal(rule(R, { type: 'deny' }), CLOUD)).toBe('accepted');
    expect(refusal({ on_http_request: [{ expressions: ['true'], actions: [{ type: 'deny' }] }] }, CLOUD)).toBe(
      'accepted',
    );
    const conditional = { expressions: ["req.method == 'GET'"], actions: [{ type: 'deny' }] };
    expect(refusal({ on_http_request: [conditional] }, CLOUD)).toMatch(/^2235 on_http_request: /);
    const weak = { type: 'forward-internal', config: { url: 'https://a.internal', on_error: 'continue' } };
    expect(refusal(rule(R, weak), CLOUD)).toMatch(/^2235 /);
    expect(refusal(rule(R, weak, { type: 'deny' }), CLOUD)).toBe('accepted');
    expect(refusal(rule(T, { type: 'deny' }), { ...CLOUD, protocol: 'tcp' })).toBe('accepted');
  });

  it('reads what old agents send', () => {
    const legacy = {
      Inbound: [{ Name: 'in', Expressions: ["req.Method == 'PUT'"], Actions: [{ Type: 'deny' }] }],
      Outbound: [
        {
          Expressions: ["res.StatusCode == '200'"],
          Actions: [{ Type: 'custom-response', Config: { status_code: 201 } }],
        },
      ],
    };
    const policy = compilePolicy(legacy, AGENT);
    expect(policy.onHttpRequest).not.toBeNull();
    expect(policy.onHttpResponse).not.toBeNull();
    const config = Buffer.from('{"status_code": 999}').toString('base64');
    expect(refusal({ inbound: [{ actions: [{ type: 'deny', config }] }] })).toMatch(
      /^2215 inbound\[0\]\.actions\[0\]\.config\.status_code: 999/,
    );
    const tls = { protocol: 'tls', binding: 'public', kind: 'agent' } as const;
    expect(compilePolicy({ inbound: [{ actions: [{ type: 'deny' }] }] }, tls).onTcpConnect).not.toBeNull();
    expect(
      compilePolicy({ enabled: false, inbound: [{ actions: [{ type: 'deny' }] }] }, AGENT).onHttpRequest,
    ).toBeNull();
    expect(refusal({ enabled: 'no' })).toMatch(/^2204 enabled: /);
  });
});
