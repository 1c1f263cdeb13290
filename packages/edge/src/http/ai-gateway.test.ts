/** The policy action ai-gateway, from outside: a visitor's socket, the edge, and providers on loopback. */
import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { text as textOf } from 'node:stream/consumers';
import { compilePolicy } from '@postern/policy';
import { describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { freePort } from '../testing/free-port.ts';
import { dial, harness, type Harness, jsonIn } from '../testing/http-harness.ts';
import { listening, nodeService, type Service } from '../testing/services.ts';

interface Asked {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

interface Provider extends Service {
  readonly asked: Asked[];
  readonly url: string;
}

type Answer = (response: ServerResponse, asked: Asked) => void;

const says =
  (words: string): Answer =>
  (response, { body }) => {
    response.setHeader('content-type', 'application/json');
    response.setHeader('set-cookie', 'of=provider');
    response.setHeader('alt-svc', 'h3=":443"');
    response.end(JSON.stringify({ words, model: body['model'] }));
  };
const status =
  (code: number): Answer =>
  (response) => {
    response.statusCode = code;
    response.end(`{"error":"of ${code}"}`);
  };

async function provider(answer: Answer): Promise<Provider> {
  const asked: Asked[] = [];
  const listener: RequestListener = (request, response) => {
    const { url = '', headers } = request;
    void textOf(request).then((body) => {
      const one = { url, headers, body: jsonIn(body) as Record<string, unknown> };
      asked.push(one);
      return answer(response, one);
    });
  };
  const service = await listening(createServer(listener));
  return Object.assign(service, { asked, url: `http://127.0.0.1:${service.port}/v1` });
}

const CLOUD = { protocol: 'http', binding: 'public', kind: 'cloud' } as const;

/** app.test is a cloud endpoint; what stands behind the action answers when it has failed. */
async function gateway(
  config: object,
  more: { behind?: object[]; http2?: boolean; outside?: string[]; response?: object[] } = {},
) {
  const actions = [{ type: 'ai-gateway', config }, ...(more.behind ?? [])];
  const policy = { on_http_request: [{ actions }], ...(more.response && { on_http_response: more.response }) };
  const edge = await harness({
    policies: { p: compilePolicy(policy, CLOUD) },
    outside: more.outside ?? ['127.0.0.0/8'],
    http2: more.http2 ?? false,
  });
  edge.publish(endpoint('ep_1', 'http', 'app.test', { kind: 'cloud', policy: 'p' }));
  return edge;
}

function post(body: string | object, fields = ''): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const head = `POST /v1/chat/completions?a=1 HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n${fields}`;
  return `${head}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

const ask = (edge: Harness, body: string | object, fields = ''): Promise<string> => edge.talk(post(body, fields));
const hello = { model: 'small', messages: [{ role: 'user', content: 'hello' }] };

const listed = (id: string, { url }: Pick<Provider, 'url'>, ...keys: string[]): object => ({
  id,
  base_url: url,
  api_keys: keys.map((value) => ({ value })),
  models: [{ id: 'small' }],
});

describe('ai-gateway', () => {
  test('asks the provider of the model, by its key, and shows it nothing else of the visitor', async () => {
    await using one = await provider(says('hi'));
    const config = {
      providers: [listed('one', one, 'key-of-one')],
      headers: { 'X-Team': 'of ${req.method}' },
      query_params: { b: 'x y' },
      body: { temperature: 0.5 },
      max_output_tokens: 10,
    };
    await using edge = await gateway(config);
    const answer = await ask(edge, { ...hello, stream: false }, 'Authorization: Bearer mine\r\nCookie: a=b\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).toContain('{"words":"hi","model":"small"}');
    expect(answer).not.toMatch(/set-cookie|alt-svc/i);
    const [asked] = one.asked;
    expect(asked?.url).toBe('/v1/chat/completions?a=1&b=x%20y');
    expect(asked?.body).toEqual({ ...hello, stream: false, temperature: 0.5, max_tokens: 10 });
    expect(asked?.headers).toMatchObject({ authorization: 'Bearer key-of-one', 'x-team': 'of POST' });
    expect(asked?.headers).not.toHaveProperty('cookie');
    expect(JSON.stringify(asked?.headers)).not.toContain('192.0.2.7');
  });

  test('goes on to the next key, and to the next provider', async () => {
    await using full = await provider((response, asked) =>
      asked.headers.authorization === 'Bearer third' ? says('of third')(response, asked) : status(429)(response, asked),
    );
    await using down = await provider(status(503));
    const providers = [listed('down', down, 'd'), listed('full', full, 'first', 'second', 'third')];
    await using edge = await gateway({ providers });
    expect(await ask(edge, hello)).toContain('of third');
    expect(down.asked).toHaveLength(1);
    expect(full.asked.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer first',
      'Bearer second',
      'Bearer third',
    ]);
  });

  test('a refusal that another provider would repeat is the answer', async () => {
    await using wrong = await provider(status(400));
    await using other = await provider(says('never'));
    await using edge = await gateway({ providers: [listed('a', wrong, 'k'), listed('b', other, 'k')] });
    expect(await ask(edge, hello)).toMatch(/^HTTP\/1\.1 400 .*of 400/s);
    expect(other.asked).toEqual([]);
  });

  test('models that the visitor names stand in for each other, in its order', async () => {
    await using one = await provider((response, asked) =>
      asked.body['model'] === 'a' ? status(500)(response, asked) : says('second')(response, asked),
    );
    await using edge = await gateway({ providers: [{ id: 'one', base_url: one.url }] });
    expect(await ask(edge, { model: 'one:a', models: ['one:b'] })).toContain('"model":"b"');
    expect(one.asked.map(({ body }) => body)).toEqual([{ model: 'a' }, { model: 'b' }]);
  });

  test('what has failed everywhere is 3807, and with on_error the rules behind it see why', async () => {
    await using down = await provider(status(500));
    const providers = [listed('down', down, 'a-key-that-is-long-enough')];
    await using edge = await gateway({ providers });
    expect(await ask(edge, hello)).toMatch(/^HTTP\/1\.1 502 .*ERR_NGROK_3807.*down:small: it answered 500/s);
    const body = '${actions.ngrok.ai_gateway}';
    const behind = [{ type: 'custom-response', config: { status_code: 503, body } }];
    const config = { providers, on_error: 'continue', query_params: { key: 'never-shown' } };
    await using going = await gateway(config, { behind });
    const shown = await ask(going, hello);
    expect(shown).not.toContain('never-shown');
    expect(shown).toMatch(/^HTTP\/1\.1 503 /);
    expect(jsonIn(shown.slice(shown.indexOf('\r\n\r\n') + 4))).toMatchObject({
      status: 'error',
      error: { code: 'ERR_NGROK_3807' },
      client: { model: 'small', path: '/v1/chat/completions' },
      models_tried: [
        {
          provider: 'down',
          requests_made: [
            {
              status: 'error',
              request: { api_key: 'a-ke...ough' },
              response: { status_code: 500, body_on_error: '{"error":"of 500"}' },
            },
          ],
        },
      ],
    });
  });

  test('with on_error the endpoint itself may answer, and gets the body', async () => {
    await using down = await provider(status(500));
    await using app = await nodeService((request, response) => {
      void textOf(request).then((body) => response.end(`app has ${body}`));
    });
    const config = { providers: [listed('down', down)], on_error: 'continue' };
    const policy = { on_http_request: [{ actions: [{ type: 'ai-gateway', config }] }] };
    await using edge = await harness({
      agents: { s1: dial(app.port) },
      policies: { p: compilePolicy(policy, { ...CLOUD, kind: 'agent' }) },
      outside: ['127.0.0.0/8'],
    });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { policy: 'p', upstreams: [upstream('s1', 't1')] }));
    expect(await ask(edge, hello)).toContain(`app has ${JSON.stringify(hello)}`);
  });

  test('rules of the answer know who gave it', async () => {
    await using one = await provider(says('hi'));
    const response = [
      {
        actions: [
          { type: 'add-headers', config: { headers: { 'x-by': '${actions.ngrok.ai_gateway.success.provider}' } } },
        ],
      },
    ];
    await using edge = await gateway({ providers: [listed('one', one)] }, { response });
    expect(await ask(edge, hello)).toMatch(/x-by: one\r\n.*"hi"/is);
  });

  test('a provider that nobody reaches, or that is slow, is passed over', async () => {
    await using slow = await provider(() => {});
    await using good = await provider(says('good'));
    // Not the port that a server had: the system may give that to the next one, which would answer.
    const gone = { url: `http://127.0.0.1:${await freePort()}/v1` };
    const config = {
      providers: [listed('gone', gone), listed('slow', slow), listed('good', good)],
      per_request_timeout: '2s',
    };
    await using edge = await gateway(config);
    expect(await ask(edge, hello)).toContain('good');
    await using never = await gateway({ ...config, providers: [listed('slow', slow)], total_timeout: '1s' });
    expect(await ask(never, hello)).toMatch(/^HTTP\/1\.1 504 .*ERR_NGROK_3810/s);
  });

  test.each(['127.0.0.1', 'localhost'])('%s is reached where the operator allows it alone', async (host) => {
    await using one = await provider(says('hi'));
    const providers = [{ ...listed('one', one), base_url: `http://${host}:${one.port}` }];
    await using edge = await gateway({ providers }, { outside: [] });
    expect(await ask(edge, hello)).toMatch(/ 502 .*its address is not one that policies may reach/s);
    expect(one.asked).toEqual([]);
  });

  test.each([
    ['nothing', '', '3801'],
    ['a list', '[]', '3801'],
    ['a model that is a number', '{"model":1}', '3801'],
    ['models that are numbers', '{"models":[1]}', '3801'],
    ['a deep body', `{"model":${'['.repeat(200)}`, '3801'],
    ['an unknown model', '{"model":"large"}', '3804'],
    ['a model that the provider is not allowed', '{"model":"one:large"}', '3804'],
    ['no model: the first that is listed', '{}', '200'],
    ['a long prompt', `{"model":"small","prompt":"${'x'.repeat(500)}"}`, '90086'],
    ['a large body', `{"model":"small","prompt":"${'x'.repeat(5 * 1024 * 1024)}"}`, '3902'],
    ['a body of too many parts', `{"model":"small","prompt":[${'0,'.repeat(400_000)}0]}`, '90034'],
  ])('%s', async (_, body, expected) => {
    await using one = await provider(says('hi'));
    const config = { providers: [listed('one', one)], only_allow_configured_models: true, max_input_tokens: 100 };
    await using edge = await gateway(config);
    const answer = await ask(edge, body);
    expect(answer.slice(0, 700)).toMatch(expected === '200' ? / 200 / : new RegExp(`ERR_NGROK_${expected}\\b`));
    expect(one.asked).toHaveLength(expected === '200' ? 1 : 0);
  });

  test('an answer comes as it is said, over HTTP/1 and HTTP/2', async () => {
    const open: ServerResponse[] = [];
    await using one = await provider((response) => {
      response.setHeader('content-type', 'text/event-stream');
      response.write('data: 1\n\n');
      open.push(response);
    });
    for (const http2 of [false, true]) {
      await using edge = await gateway({ providers: [listed('one', one)] }, { http2 });
      const [got, end] = http2 ? streamHttp2(edge) : streamHttp1(edge);
      await expect.poll(() => got.text).toContain('data: 1\n\n');
      open.at(-1)?.write('data: 2\n\n');
      await expect.poll(() => got.text).toContain('data: 2\n\n');
      open.at(-1)?.end('data: [DONE]\n\n');
      await end;
      expect(got.text).toContain('[DONE]');
    }
  });

  test('who takes nothing holds the provider up, and who leaves ends the call', async () => {
    let written = 0;
    let closed = false;
    await using one = await provider((response) => {
      response.on('close', () => (closed = true));
      const chunk = Buffer.alloc(65_536, 'x');
      const more = (): void => {
        written += chunk.length;
        if (response.write(chunk)) setImmediate(more);
        else response.once('drain', more);
      };
      more();
    });
    await using edge = await gateway({ providers: [listed('one', one)] });
    const socket = edge.connect();
    socket.pause();
    socket.write(post(hello));
    await expect.poll(() => written).toBeGreaterThan(0);
    let before = -1;
    await expect.poll(() => [before === written, (before = written)][0], { interval: 200 }).toBe(true);
    expect(written).toBeLessThan(1 << 26);
    socket.destroy();
    await expect.poll(() => closed).toBe(true);
    expect(edge.events.at(-1)).toMatchObject({ endpointId: 'ep_1' });
  });

  test('who leaves before the answer ends the call', async () => {
    let closed = false;
    await using one = await provider((response) => void response.on('close', () => (closed = true)));
    await using edge = await gateway({ providers: [listed('one', one)] });
    const socket = edge.connect();
    socket.write(post(hello));
    await expect.poll(() => one.asked.length).toBe(1);
    socket.destroy();
    await expect.poll(() => closed).toBe(true);
    expect(one.asked).toHaveLength(1);
  });

  test('an answer that breaks off is cut for the visitor', async () => {
    await using one = await provider((response) => {
      response.write('half of it');
      setImmediate(() => response.destroy());
    });
    await using edge = await gateway({ providers: [listed('one', one)] });
    const answer = await ask(edge, hello);
    expect(answer).toContain('half of it');
    expect(answer).not.toMatch(/\r\n0\r\n\r\n$/);
  });
});

function streamHttp1(edge: Harness): [got: { text: string }, end: Promise<unknown>] {
  const got = { text: '' };
  const socket = edge.connect();
  socket.on('data', (chunk: Buffer) => (got.text += chunk.toString()));
  socket.write(post(hello));
  return [got, new Promise((resolve) => socket.on('end', resolve)).then(() => socket.destroy())];
}

function streamHttp2(edge: Harness): [got: { text: string }, end: Promise<unknown>] {
  const got = { text: '' };
  const session = connectHttp2('http://app.test', { createConnection: () => edge.connect() });
  const stream = session.request({ ':method': 'POST', ':path': '/v1/chat/completions' });
  stream.on('data', (chunk: Buffer) => (got.text += chunk.toString()));
  stream.end(JSON.stringify(hello));
  return [got, new Promise((resolve) => stream.on('end', resolve)).then(() => session.destroy())];
}
