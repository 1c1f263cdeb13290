import { expect, test } from 'vitest';
import { watchForRefusedHosts } from './host-help.ts';

/** What is told of a service that answers so, each part in a chunk. */
function toldOf(...chunks: string[]): string[] {
  const told: string[] = [];
  const watch = watchForRefusedHosts((words) => void told.push(words));
  for (let connection = 0; connection < 2; connection += 1) {
    const one = watch({ clientAddr: '127.0.0.1:1', proto: 'https', behindProxyHeader: false });
    for (const chunk of chunks) one?.fromService?.(Buffer.from(chunk));
    one?.over();
  }
  return told;
}
const answer = (status: string, body: string): string =>
  `HTTP/1.1 ${status}\r\ncontent-type: text/plain\r\n\r\n${body}`;

test.each([
  ['Vite', '403 Forbidden', 'Blocked request. This host ("a.test") is not allowed.', 'server.allowedHosts'],
  ['webpack-dev-server', '403 Forbidden', 'Invalid Host header', 'devServer.allowedHosts'],
  ['Rails', '403 Forbidden', '<h1>Blocked hosts: a.test</h1>', 'config.hosts'],
  ['Django', '400 Bad Request', "DisallowedHost at /\nInvalid HTTP_HOST header: 'a.test'", 'ALLOWED_HOSTS'],
  ['Next.js', '403 Forbidden', 'Blocked cross-origin request to /_next', 'allowedDevOrigins'],
])('%s: the flag is named, once', (server, status, body, setting) => {
  const [head = '', rest = ''] = answer(status, body).split('\r\n\r\n');
  for (const told of [
    toldOf(answer(status, body)),
    toldOf(`${head}\r\n\r\n`, rest),
    toldOf(head.slice(0, 5), head.slice(5), `\r\n\r\n${rest}`),
  ]) {
    expect(told).toEqual([expect.stringContaining(`(${server})`)]);
    expect(told[0]).toContain('--host-header rewrite');
    expect(told[0]).toContain(setting);
  }
});

test.each([
  ['another answer with the words', answer('200 OK', 'Blocked request. This host is a story')],
  ['another refusal', answer('403 Forbidden', 'go away')],
  ['no HTTP', 'SSH-2.0-server'],
  ['the words behind the first answers', `${answer('403 Forbidden', 'x'.repeat(20_000))}Blocked request. This host`],
])('%s says nothing', (_name, text) => {
  expect(toldOf(text)).toEqual([]);
});
