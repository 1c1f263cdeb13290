import { describe, expect, test } from 'vitest';
import { endpoint } from '../testing/fixtures.ts';
import { get, harness } from '../testing/http-harness.ts';

const close = 'Connection: close\r\n';
const cloud = { kind: 'cloud' } as const;

describe('plain HTTP for a name of another scheme', () => {
  test.each([
    ['https', 'app.test'],
    ['https', '*.test'],
    ['tls', 'app.test'],
  ] as const)('is sent to an %s endpoint %s: same path and query, external port', async (proto, host) => {
    await using edge = await harness();
    edge.publish(endpoint('ep_1', proto, host, cloud));
    const answer = await edge.talk(get('/a%20b//c?x=1&y=%2F', close));
    expect(answer).toMatch(/^HTTP\/1\.1 307 /);
    expect(answer).toContain('\r\nLocation: https://app.test:8443/a%20b//c?x=1&y=%2F\r\n');
    expect(answer).not.toContain('ERR_NGROK');
  });

  test('keeps method and body, reads absolute targets, and gives * the root', async () => {
    await using edge = await harness();
    edge.publish(endpoint('ep_1', 'https', 'app.test', cloud));
    const ask = (line: string, more = ''): Promise<string> =>
      edge.talk(`${line} HTTP/1.1\r\nHost: APP.test.:8880\r\n${more}${close}\r\n`);
    expect(await ask('POST /x', 'Content-Length: 0\r\n')).toMatch(
      /^HTTP\/1\.1 307 .*Location: https:\/\/app\.test:8443\/x\r/s,
    );
    expect(await ask('GET http://APP.test.:8880/y?z')).toContain('Location: https://app.test:8443/y?z\r\n');
    expect(await ask('OPTIONS *')).toContain('Location: https://app.test:8443/\r\n');
  });

  test('shows a browser the way, and repeats nothing unescaped', async () => {
    await using edge = await harness();
    edge.publish(endpoint('ep_1', 'https', 'app.test', cloud));
    const page = await edge.talk(get(`/?"><script>`, `Accept: text/html\r\n${close}`));
    expect(page).toMatch(/^HTTP\/1\.1 (307|400) /);
    expect(page.slice(page.indexOf('<!doctype'))).not.toContain('"><script>');
    const fine = await edge.talk(get('/x?a=1&b=2', `Accept: text/html\r\n${close}`));
    expect(fine).toContain('<a href="https://app.test:8443/x?a=1&amp;b=2">');
  });

  test('is 404 with the right address where redirecting is turned off, and where nobody serves the name', async () => {
    await using edge = await harness({ config: { redirectToHttps: false } });
    edge.publish(endpoint('ep_1', 'https', 'app.test', cloud), endpoint('ep_2', 'tls', 'bytes.test', cloud));
    expect(await edge.talk(get('/', close))).toMatch(/^HTTP\/1\.1 404 .*ERR_NGROK_90001.*https:\/\/app\.test:8443/s);
    const page = await edge.talk(get('/', `Accept: text/html\r\n${close}`));
    expect(page).toContain('<a href="https://app.test:8443/">');
    const other = `GET / HTTP/1.1\r\nHost: bytes.test\r\n${close}\r\n`;
    expect(await edge.talk(other)).toMatch(/ERR_NGROK_90001/);
    expect(await edge.talk(other.replace('bytes', 'nobody'))).toMatch(/^HTTP\/1\.1 404 .*ERR_NGROK_3200/s);
  });
});

test('HTTPS for a name that only plain HTTP has is told the address that works', async () => {
  await using edge = await harness({ scheme: 'https' });
  edge.publish(endpoint('ep_1', 'http', 'app.test', cloud));
  expect(await edge.talk(get('/', close))).toMatch(/^HTTP\/1\.1 404 .*ERR_NGROK_90001.*http:\/\/app\.test /s);
  expect(await edge.talk(get('/', `Accept: text/html\r\n${close}`))).toContain('<a href="http://app.test/">');
});
