/** What a rule sees is what the service gets, and what cannot be judged is not let through: by real policies, from outside. */
import { connect as connectHttp2 } from 'node:http2';
import { compilePolicy } from '@postern/policy';
import { describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { dial, harness, jsonIn, type Harness } from '../testing/http-harness.ts';
import { nodeService, type Service } from '../testing/services.ts';

const AGENT = { protocol: 'http', binding: 'public', kind: 'agent' } as const;

const echo = (): Promise<Service> =>
  nodeService((request, response) => response.end(JSON.stringify({ url: request.url, ...request.headers })));

async function edgeWith(service: Service, rules: object, http2 = false): Promise<Harness & AsyncDisposable> {
  const policies = { p: compilePolicy(rules, AGENT) };
  const edge = await harness({ agents: { s1: dial(service.port) }, policies, http2 });
  edge.publish(endpoint('ep_1', 'http', '*.app.test', { policy: 'p', upstreams: [upstream('s1', 't1')] }));
  return edge;
}

const denyIf = (expression: string): object => ({
  on_http_request: [{ expressions: [expression], actions: [{ type: 'deny' }] }],
});
const ask = (edge: Harness, target: string, more = '', host = 'a.app.test'): Promise<string> =>
  edge.talk(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${more}\r\n`);
const status = (text: string): number => Number(text.slice(9, 12));

describe('rules', () => {
  test.each([
    "hasQueryParam('debug')",
    "'debug' in req.url.query_params",
    "req.url.query_params.exists(k, k == 'debug')",
    "getQueryParam('debug').size() > 0",
    "'debug' in queryString.decode(req.url.query)",
    "'debug' in url.parse(req.url).query_params",
    'has(req.url.query_params.debug)',
  ])('see every query parameter or none: %s', async (expression) => {
    await using service = await echo();
    await using edge = await edgeWith(service, denyIf(expression));
    expect(status(await ask(edge, '/?debug=1'))).toBe(403);
    expect(status(await ask(edge, '/?%64ebu%67=1'))).toBe(403);
    expect(status(await ask(edge, `/?${'a&'.repeat(998)}debug=1`))).toBe(403);
    expect(status(await ask(edge, `/?${'a&'.repeat(1000)}debug=1`))).toBeGreaterThanOrEqual(400);
    expect(status(await ask(edge, `/?${'&'.repeat(5000)}a`))).toBe(200);
    expect(status(await ask(edge, '/?a'))).toBe(200);
  });

  test('refuse more parameters and cookies than they look at with 400', async () => {
    await using service = await echo();
    await using edge = await edgeWith(service, denyIf("hasQueryParam('debug') || hasReqCookie('debug')"));
    const many = await ask(edge, `/?${'a&'.repeat(1001)}`);
    expect(status(many)).toBe(400);
    expect(many).toContain('ERR_NGROK_90033');
    const cookies = await ask(edge, '/', `Cookie: ${'a=1; '.repeat(1000)}debug=1\r\n`);
    expect(status(cookies)).toBe(400);
    expect(cookies).toContain('cookies');
    expect(status(await ask(edge, '/', `Cookie: ${'a=1; '.repeat(500)}b\r\nCookie: debug\r\n`))).toBe(403);
    expect(status(await ask(edge, '/', 'Cookie: a=debug\r\n'))).toBe(200);
  });

  test('that do not look at the query let any number pass', async () => {
    await using service = await echo();
    await using edge = await edgeWith(service, denyIf("req.method == 'POST'"));
    expect(status(await ask(edge, `/?${'a&'.repeat(5000)}b`))).toBe(200);
  });

  test('see one form of the host, and the service gets that one', async () => {
    await using service = await echo();
    await using edge = await edgeWith(service, denyIf("req.host == 'secret.app.test'"));
    for (const host of ['secret.app.test', 'secret.app.test.', 'SECRET.app.test', 'secret.app.test.:80']) {
      expect([host, status(await ask(edge, '/', '', host))]).toEqual([host, 403]);
      expect([host, status(await ask(edge, `http://${host}/`, '', host))]).toEqual([host, 403]);
    }
    expect(jsonIn(await ask(edge, '/', '', 'Other.App.test.'))).toMatchObject({
      host: 'other.app.test',
      'x-forwarded-host': 'other.app.test',
    });
    expect(edge.events.at(-1)?.host).toBe('other.app.test');
  });

  test('see the path that the service will decode', async () => {
    await using service = await echo();
    await using edge = await edgeWith(service, denyIf("req.url.path.startsWith('/admin/')"));
    for (const path of ['/admin/', '/%61dmin/', '/x/../admin/', '/x/%2e%2e/admin/', '/admin%2f%ff', '/admin%2f%zz']) {
      expect([path, status(await ask(edge, path))]).toEqual([path, 403]);
    }
  });

  test.each([false, true])('compare and write header text as UTF-8 (HTTP/2: %s)', async (http2) => {
    await using service = await echo();
    const rules = {
      on_http_request: [
        {
          actions: [
            { type: 'add-headers', config: { headers: { 'x-path': '${req.url.path}', 'x-fixed': 'naïve €' } } },
          ],
        },
        {
          expressions: ["hasReqHeader('x-name') && req.headers['x-name'][0] == 'naïve'"],
          actions: [{ type: 'add-headers', config: { headers: { 'x-is': "${req.headers['x-name'][0]}" } } }],
        },
      ],
      on_http_response: [{ actions: [{ type: 'add-headers', config: { headers: { 'x-path': '${req.url.path}' } } }] }],
    };
    await using edge = await edgeWith(service, rules, http2);
    const latin = (text: string): string => Buffer.from(text).toString('latin1');
    const path = '/5%20%E2%82%AC/%C3%BCber/%F0%9F%98%80';
    const name = latin('naïve');
    const seen: { answered: string | undefined; body: unknown } = http2
      ? await askHttp2(edge, path, { 'x-name': name })
      : await ask(edge, path, '').then(async () => {
          const text = await edge.talk(
            Buffer.from(
              `GET ${path} HTTP/1.1\r\nHost: a.app.test\r\nConnection: close\r\nX-Name: ${name}\r\n\r\n`,
              'latin1',
            ),
          );
          return { answered: /x-path: (.*)\r\n/i.exec(text)?.[1], body: jsonIn(text.slice(text.indexOf('\r\n\r\n'))) };
        });
    expect(seen.answered).toBe(latin('/5 €/über/😀'));
    // What the service's own JSON says of bytes that it read one by one.
    expect(seen.body).toMatchObject({
      'x-path': expect.stringMatching(/./),
      'x-is': expect.stringMatching(/./),
      'x-fixed': expect.stringMatching(/./),
    });
    expect(utf8Of(seen.body, 'x-path')).toBe('/5 €/über/😀');
    expect(utf8Of(seen.body, 'x-is')).toBe('naïve');
    expect(utf8Of(seen.body, 'x-fixed')).toBe('naïve €');
  });

  test('never write a control character, and say 400', async () => {
    await using service = await echo();
    const location = {
      type: 'custom-response',
      config: { status_code: 302, headers: { location: 'https://b.test${req.url.path}' } },
    };
    const header = { type: 'add-headers', config: { headers: { 'x-path': '${req.url.path}' } } };
    for (const rules of [
      { on_http_request: [{ actions: [header] }] },
      { on_http_request: [{ actions: [location] }] },
      { on_http_response: [{ actions: [header] }] },
    ]) {
      await using edge = await edgeWith(service, rules);
      for (const path of ['/a%0d%0aX-Evil:%201', '/a%00', '/a%7f', '/a%1b']) {
        const text = await ask(edge, path);
        expect([path, status(text)]).toEqual([path, 400]);
        expect(text).toContain('ERR_NGROK_90035');
        expect(text.toLowerCase()).not.toContain('\nx-evil');
      }
    }
    await using edge = await edgeWith(service, { on_http_request: [{ actions: [location] }] });
    expect(await ask(edge, '/5%20%E2%82%AC')).toContain('\r\nlocation: https://b.test/5%20%E2%82%AC\r\n');
  });
});

/** Strings in which each character is a byte of a header → the text. */
function utf8Of(body: unknown, name: string): string {
  const value: unknown = Reflect.get(Object(body), name);
  // The body is read byte by byte (HTTP/1 helper) or as UTF-8 (HTTP/2): undo as often as needed.
  let text = String(value);
  for (let times = 0; times < 3 && /[\u0080-\u00ff]{2}/.test(text) && !/[\u0100-\uffff]/.test(text); times++) {
    text = Buffer.from(text, 'latin1').toString('utf8');
  }
  return text;
}

function askHttp2(
  edge: Harness,
  path: string,
  headers: Record<string, string>,
): Promise<{ answered: string | undefined; body: unknown }> {
  const session = connectHttp2(`http://127.0.0.1:${edge.port}`);
  return new Promise((resolve, reject) => {
    session.on('error', reject);
    const stream = session.request({ ':path': path, ':authority': 'a.app.test', ':scheme': 'http', ...headers });
    let answered: string | undefined;
    let text = '';
    stream.on('response', (head) => {
      answered = String(head['x-path']);
    });
    stream.on('data', (part: Buffer) => {
      text += part.toString('utf8');
    });
    stream.on('error', reject);
    stream.on('end', () => {
      session.destroy();
      resolve({ answered, body: jsonIn(text) });
    });
  });
}

test('rules know when all of a body had come: not before it is read, and in the answer', async () => {
  await using service = await nodeService((request, response) => {
    request.resume().on('end', () => response.end('done'));
  });
  const expressions = ["req.ts.body_received == timestamp('1970-01-01T00:00:00Z')"];
  const mark = (name: string, more: object = {}): object => ({
    ...more,
    actions: [{ type: 'set-vars', config: { vars: [{ [name]: '${req.ts.body_received}' }] } }],
  });
  await using edge = await edgeWith(service, {
    on_http_request: [
      mark('before'),
      { expressions: ["hasReqHeader('x-early')", ...expressions], actions: [{ type: 'deny' }] },
    ],
    on_http_response: [
      {
        actions: [
          {
            type: 'add-headers',
            config: {
              headers: {
                'x-order': '${req.ts.header_received <= req.ts.body_received}',
                'x-recent': "${req.ts.body_received > timestamp('2020-01-01T00:00:00Z')}",
              },
            },
          },
        ],
      },
    ],
  });
  const early = await edge.talk(
    'POST / HTTP/1.1\r\nHost: a.app.test\r\nX-Early: 1\r\nContent-Length: 5\r\nConnection: close\r\n\r\n',
  );
  expect(status(early)).toBe(403);
  const whole = await edge.talk(
    'POST / HTTP/1.1\r\nHost: a.app.test\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello',
  );
  expect(whole).toMatch(/x-order: true\r\nx-recent: true\r\n/i);
  const none = await ask(edge, '/');
  expect(none).toMatch(/x-order: true\r\nx-recent: true\r\n/i);
});
