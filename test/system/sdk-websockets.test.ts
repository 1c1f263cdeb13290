/** WebSockets through the unmodified npm `@ngrok/ngrok`: as they are, and for services that want their bytes alone. */
import https from 'node:https';
import type net from 'node:net';
import type ngrok from '@ngrok/ngrok';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Platform, splitAddress } from '../support/platform.ts';
import { sessionBuilder } from '../support/sdk.ts';
import { until } from '../support/until.ts';
import { tcpEcho } from '../support/upstream.ts';

let platform: Platform;
let session: ngrok.Session;

beforeAll(async () => {
  platform = await Platform.start();
  session = await sessionBuilder(platform).connect();
});
afterAll(async () => {
  // The SDK's close leaves its connection open and silent; the platform goes first, or its drain waits for that.
  await platform?.dispose();
  await session?.close().catch(() => undefined);
});

function open(domain: string): WebSocket {
  const [address, port] = splitAddress(platform.runtime.https_addr);
  const agent = new https.Agent({ ca: platform.ca, servername: domain });
  return new WebSocket(`wss://${address}:${port}/chat`, { agent, headers: { host: domain } });
}

test('websockets', async () => {
  const domain = 'chat.example.com';
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket) =>
    socket.on('message', (data) => socket.send(`echo ${(data as Buffer).toString()}`)),
  );
  await new Promise((resolve) => server.once('listening', resolve));
  await session
    .httpEndpoint()
    .domain(domain)
    .listenAndForward(`http://127.0.0.1:${(server.address() as net.AddressInfo).port}`);
  const socket = open(domain);
  const message = await new Promise<string>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => socket.send('hello'));
    socket.on('message', (data) => resolve((data as Buffer).toString()));
  });
  expect(message).toBe('echo hello');
  socket.terminate();
  for (const client of server.clients) client.terminate();
  await new Promise((resolve) => server.close(resolve));
});

test('bytes of a WebSocket for a service that speaks none', async () => {
  const domain = 'bytes.example.com';
  const echo = await tcpEcho();
  await session.httpEndpoint().domain(domain).websocketTcpConversion().listenAndForward(echo.url);
  const socket = open(domain);
  const sent = Buffer.alloc(500_000, 'a byte of many');
  const got: Buffer[] = [];
  socket.on('message', (data) => got.push(data as Buffer));
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
  socket.send(sent);
  await until(() => got.reduce((sum, { length }) => sum + length, 0) === sent.length);
  expect(Buffer.concat(got).equals(sent)).toBe(true);
  socket.close(1000);
  expect(await new Promise((resolve) => socket.on('close', resolve))).toBe(1000);
  expect((await platform.visit(`https://${domain}/`)).headers['ngrok-error-code']).toBe('ERR_NGROK_3206');
  await echo.close();
});
