/** Rules that change bodies: as a cloud endpoint and with an agent, for visitors over HTTP/1 and HTTP/2. */
import { once } from 'node:events';
import type http from 'node:http';
import https from 'node:https';
import { gunzipSync, gzipSync } from 'node:zlib';
import type ngrok from '@ngrok/ngrok';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Platform, splitAddress, type Visit } from '../support/platform.ts';
import { sessionBuilder } from '../support/sdk.ts';
import { type Upstream, httpUpstream } from '../support/upstream.ts';
import { connectHttp2, visitHttp2 } from '../support/visit-http2.ts';

let platform: Platform;
let session: ngrok.Session;
const upstreams: Upstream[] = [];

beforeAll(async () => {
  platform = await Platform.start();
  session = await sessionBuilder(platform).connect();
});
afterAll(async () => {
  await platform?.dispose();
  await session?.close().catch(() => undefined);
  await Promise.all(upstreams.map((upstream) => upstream.close()));
});

type Sent = { readonly method?: string; readonly body?: string; readonly headers?: Record<string, string> };
const VISITS = {
  'HTTP/1': (url: string, sent: Sent): Promise<Visit> => platform.visit(url, sent),
  'HTTP/2': (url: string, sent: Sent): Promise<Visit> => visitHttp2(platform, url, sent),
};
const EACH = Object.entries(VISITS);

const rule = (...actions: object[]): object => ({ actions });
const replace = (where: 'request' | 'response', ...pairs: [from: string, to: string][]): object => ({
  type: `${where}-body-find-replace`,
  config: { replacements: pairs.map(([from, to]) => ({ from, to })) },
});

async function cloud(url: string, policy: object): Promise<void> {
  const made = await platform.api('POST', '/endpoints', { url, traffic_policy: JSON.stringify(policy) });
  expect(made.status, made.text).toBe(201);
}

async function share(domain: string, policy: object, handler: http.RequestListener): Promise<string> {
  const upstream = await httpUpstream(handler);
  upstreams.push(upstream);
  const shared = session.httpEndpoint().domain(domain).trafficPolicy(JSON.stringify(policy));
  await shared.listenAndForward(upstream.url);
  return `https://${domain}`;
}

describe('find and replace in bodies', () => {
  const hide = {
    on_http_request: [rule(replace('request', ['"key":\\s*"[^"]*"', '"key": "hidden"'], ['(\\w+)@test', '$1']))],
    on_http_response: [rule(replace('response', ['secret', '***'])), rule({ type: 'compress-response' })],
  };

  test.each(EACH)('with an agent, over %s', async (version, visit) => {
    const bodies: { body: string; length: string | undefined }[] = [];
    const url = await share(`bodies-${version.at(-1)}.example.com`, hide, (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        bodies.push({ body: Buffer.concat(parts).toString(), length: request.headers['content-length'] });
        const answer = gzipSync('a secret '.repeat(20_000));
        response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': answer.length }).end(answer);
      });
    });
    const sent = { method: 'POST', body: '{"key":"abc","from":"ada@test"}', headers: { 'accept-encoding': 'gzip' } };
    const answer = await visit(url, sent);
    const expected = '{"key": "hidden","from":"ada"}';
    const length = version === 'HTTP/1' ? String(expected.length) : undefined;
    expect(bodies).toEqual([{ body: expected, length }]);
    expect(answer).toMatchObject({ status: 200, headers: { 'content-encoding': 'gzip' } });
    expect(gunzipSync(answer.bytes).toString() === 'a *** '.repeat(20_000)).toBe(true);
  });

  test.each(EACH)('as a cloud endpoint, over %s', async (version, visit) => {
    const url = `https://cloud-bodies-${version.at(-1)}.example.com`;
    const echo = { type: 'custom-response', config: { body: 'the secret of ${req.headers["x-who"][0]}' } };
    await cloud(url, { on_http_request: [rule(echo)], on_http_response: hide.on_http_response.slice(0, 1) });
    const answer = await visit(url, { headers: { 'x-who': 'ada' } });
    expect(answer.text).toBe('the *** of ada');
    expect(answer.headers['content-length']).toBe('14');
  });

  test('a body that cannot be read is not let through', async () => {
    const url = await share('large-bodies.example.com', hide, (_request, response) => {
      response.end(Buffer.alloc(5_000_000, 'secret'));
    });
    expect(await platform.visit(url)).toMatchObject({
      status: 502,
      headers: { 'ngrok-error-code': 'ERR_NGROK_90080' },
    });
    const large = { method: 'POST', body: 'secret'.repeat(1_000_000) };
    expect(await platform.visit(url, large)).toMatchObject({
      status: 413,
      headers: { 'ngrok-error-code': 'ERR_NGROK_3902' },
    });
  });
});

describe('rules for messages of event streams', () => {
  const rules = {
    on_event_stream_message: [
      rule({
        type: 'sse-find-replace',
        config: {
          replacements: [
            { from: 'secret', to: '***' },
            { field: 'retry', from: '\\d+', to: '5000' },
          ],
        },
      }),
    ],
  };

  test('with an agent, each message leaves when it is complete', async () => {
    const answers: http.ServerResponse[] = [];
    const url = await share('events.example.com', rules, (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('retry: 10\ndata: the first secret\n\n');
      answers.push(response);
    });
    for (const version of [1, 2] as const) {
      const heard = version === 1 ? await listen1(url) : await listen2(url);
      await expect.poll(() => heard.text).toBe('retry: 5000\ndata: the first ***\n\n');
      answers.at(-1)?.write('data: the next sec');
      answers.at(-1)?.write('ret\n\n');
      await expect.poll(() => heard.text).toMatch(/data: the next \*\*\*\n\n$/);
      answers.at(-1)?.end();
      await expect.poll(() => heard.over).toBe(true);
    }
  });

  test.each(EACH)('as a cloud endpoint, over %s', async (version, visit) => {
    const url = `https://cloud-events-${version.at(-1)}.example.com`;
    const config = { body: 'data: a secret\n\ndata: b\n\n', headers: { 'content-type': 'text/event-stream' } };
    await cloud(url, { ...rules, on_http_request: [rule({ type: 'custom-response', config })] });
    expect(await visit(url, {})).toMatchObject({ status: 200, text: 'data: a ***\n\ndata: b\n\n' });
  });
});

interface Heard {
  text: string;
  over: boolean;
}

function hear(body: NodeJS.ReadableStream): Heard {
  const heard = { text: '', over: false };
  body.on('data', (chunk: Buffer) => (heard.text += chunk.toString()));
  body.on('end', () => (heard.over = true));
  return heard;
}

async function listen1(url: string): Promise<Heard> {
  const [host, port] = splitAddress(platform.runtime.https_addr);
  const { host: name } = new URL(url);
  const request = https.get({ host, port, servername: name, ca: platform.ca, agent: false, headers: { host: name } });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return hear(response);
}

async function listen2(url: string): Promise<Heard> {
  const connection = connectHttp2(platform, url);
  const stream = connection.request({ ':path': '/' });
  stream.on('close', () => connection.close());
  await once(stream, 'response');
  return hear(stream);
}
