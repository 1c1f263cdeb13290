import { connect, createServer as createHttp2, type IncomingHttpHeaders } from 'node:http2';
import { text as textOf } from 'node:stream/consumers';
import { compilePolicy } from '@postern/policy';
import { describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { dial, get, harness } from '../testing/http-harness.ts';
import { listening, nodeService } from '../testing/services.ts';

const AGENT = { protocol: 'http', binding: 'public', kind: 'agent' } as const;
const CLOSE = 'Connection: close\r\n';

/** `/api/…` of the visitor is `/v2/…` of inner.test; the answer says what the rules saw afterwards. */
const policy = compilePolicy(
  {
    on_http_request: [
      {
        actions: [
          { type: 'url-rewrite', config: { from: '^http://app\\.test/api/(.*)', to: 'http://inner.test/v2/$1' } },
        ],
      },
    ],
    on_http_response: [
      { actions: [{ type: 'add-headers', config: { headers: { 'x-saw': '${req.url.path} ${req.host}' } } }] },
    ],
  },
  AGENT,
);

describe('url-rewrite', () => {
  test('asks the service for the new URL, and leads its redirects back to the visitor’s', async () => {
    await using service = await nodeService((request, response) => {
      response.setHeader('location', `http://${request.headers.host ?? ''}/next`);
      response.end(
        `${request.url ?? ''} of ${request.headers.host ?? ''} for ${String(request.headers['x-forwarded-host'])}`,
      );
    });
    await using edge = await harness({ agents: { s1: dial(service.port) }, policies: { policy } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { policy: 'policy', upstreams: [upstream('s1', 't1')] }));
    const text = await edge.talk(get('/api/users?a=%20b', CLOSE));
    expect(text).toMatch(/\/v2\/users\?a=%20b of inner\.test for app\.test$/);
    expect(text).toContain('location: http://app.test/next\r\n');
    expect(text).toContain('x-saw: /v2/users inner.test\r\n');
    // Who looks at the traffic sees what the visitor asked for.
    expect(edge.events.at(-1)).toMatchObject({ host: 'app.test', path: '/api/users' });
    // What does not match stays what it is; one connection carries both.
    const both = await edge.talk(get('/api/1') + get('/other', CLOSE));
    expect(both).toMatch(/\/v2\/1 of inner\.test.*\/other of app\.test/s);
  });

  test('is the same over HTTP/2, on both sides', async () => {
    await using service = await listening(
      createHttp2((request, response) => response.end(`${request.url} of ${request.authority}`)),
    );
    await using edge = await harness({ agents: { s1: dial(service.port) }, policies: { policy }, http2: true });
    const upstreams = [upstream('s1', 't1', { protocol: 'http2' })];
    edge.publish(endpoint('ep_1', 'http', 'app.test', { policy: 'policy', upstreams }));
    const session = connect(`http://127.0.0.1:${edge.port}`);
    const stream = session.request({ ':path': '/api/a', ':authority': 'app.test' });
    const headers = await new Promise<IncomingHttpHeaders>((resolve) => stream.on('response', resolve));
    expect([await textOf(stream), headers['x-saw']]).toEqual(['/v2/a of inner.test', '/v2/a inner.test']);
    session.close();
  });

  test('is seen by the endpoint that is forwarded to', async () => {
    const front = compilePolicy(
      {
        on_http_request: [
          {
            actions: [
              { type: 'url-rewrite', config: { from: '/old', to: '/new' } },
              { type: 'forward-internal', config: { url: 'https://back.internal' } },
            ],
          },
        ],
      },
      { ...AGENT, kind: 'cloud' },
    );
    const back = compilePolicy(
      { on_http_request: [{ actions: [{ type: 'custom-response', config: { body: 'at ${req.url}' } }] }] },
      { protocol: 'https', binding: 'internal', kind: 'cloud' },
    );
    await using edge = await harness({ policies: { front, back } });
    edge.publish(
      endpoint('ep_1', 'http', 'app.test', { kind: 'cloud', policy: 'front' }),
      endpoint('ep_2', 'https', 'back.internal', { kind: 'cloud', binding: 'internal', policy: 'back' }),
    );
    expect(await edge.talk(get('/old?q', CLOSE))).toMatch(/at http:\/\/app\.test\/new\?q$/);
  });
});
