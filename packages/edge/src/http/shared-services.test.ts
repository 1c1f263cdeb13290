/** What of a visitor's streams may serve others: agents of ours keep the service's connection behind those that are released. */
import { expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { exchangeText, harness, dial, rawService } from '../testing/http-harness.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const GET = 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n';

/** Whether the stream of a visitor who sends these requests and leaves is released. */
async function released(requests: readonly string[], answer: string): Promise<boolean> {
  await using service = await rawService((socket) => socket.on('data', () => socket.write(answer)));
  await using edge = await harness({ agents: { s1: dial(service.port) }, limits: { upstreamIdleMs: 60_000 } });
  let count = 0;
  const { agents } = edge.context;
  const release = agents.release.bind(agents);
  agents.release = (...args) => {
    count++;
    release(...args);
  };
  edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1')] }));
  const socket = edge.connect();
  const end = answer.slice(answer.indexOf('\r\n\r\n') + 4);
  for (const request of requests) {
    const bodiless = request.startsWith('HEAD') || end === '';
    expect(await exchangeText(socket, request, bodiless ? /\r\n\r\n$/ : new RegExp(`${end}$`))).toMatch(/^HTTP/);
  }
  socket.destroy();
  await expect.poll(() => edge.agents.get('s1')?.server.streamCount).toBe(0);
  return count > 0;
}

test('a stream is released behind requests without a body, answered whole', async () => {
  expect(await released([GET], OK)).toBe(true);
  expect(await released([GET, GET.replace('GET', 'OPTIONS')], OK)).toBe(true);
});

test.each<[string, string[], string]>([
  ['a body', ['POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\n\r\nhi'], OK],
  ['a body, at any time', ['POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\n\r\nhi', GET], OK],
  ['HEAD', [GET.replace('GET', 'HEAD')], 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n'],
  ['304', [GET], 'HTTP/1.1 304 Not Modified\r\n\r\n'],
  ['204', [GET], 'HTTP/1.1 204 No Content\r\n\r\n'],
  ['401', [GET], OK.replace('200 OK', '401 Unauthorized')],
  ['Negotiate', [GET.replace('\r\n\r\n', '\r\nAuthorization: Negotiate abc\r\n\r\n')], OK],
  ['a service that says that it closes', [GET], OK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')],
])('and not behind %s', async (_, requests, answer) => {
  expect(await released(requests, answer)).toBe(false);
});
