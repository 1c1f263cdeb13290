import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { selfSigned } from '../testing/certificate.ts';
import { Outside, type OutsideOptions } from './outside.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const LOOPBACK = ['127.0.0.0/8'];
const resolving = (...addresses: string[]) => ({ resolve: () => Promise.resolve(addresses) });

/** What comes of asking for it: text, or why not. */
async function ask(outside: Outside, url: string, limit = 1_000, timeoutMs = 5_000): Promise<string> {
  const answer = await outside.get({ url: new URL(url), accept: '*/*', limit, timeoutMs, endpointId: 'ep_1' });
  return Buffer.isBuffer(answer) ? answer.toString() : `no: ${answer.problem}`;
}

const NOT_ALLOWED = 'no: its address is not one that policies may reach';

describe('the door out', () => {
  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '[::1]',
    '[::]',
    '[fe80::1]',
    '[fd00::1]',
    '[::ffff:127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[ff02::1]',
    '0x7f.1',
    '2130706433',
  ])('leads nobody to %s, by address or by name', async (host) => {
    const outside = new Outside({
      allow: [],
      ...resolving(new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, '')),
    });
    expect(await ask(outside, `https://${host}:1/`)).toBe(NOT_ALLOWED);
    expect(await ask(outside, 'https://name.test:1/')).toBe(NOT_ALLOWED);
    expect([outside.asked, outside.refused]).toEqual([0, 2]);
  });

  it('refuses a name with one public and one private address', async () => {
    expect(await ask(new Outside({ allow: [], ...resolving('192.0.1.1', '10.0.0.1') }), 'https://two.test/')).toBe(
      NOT_ALLOWED,
    );
  });

  it('goes to the address that was looked at, and holds the answer to the name', async () => {
    const { cert, key } = selfSigned('keys.test');
    const server = createTlsServer({ cert, key }, (request, response) => response.end(request.headers.host));
    const port = await listening(server);
    let asked = 0;
    const options: OutsideOptions = {
      allow: LOOPBACK,
      ca: [cert],
      // Another address the second time, as a hostile name server would have it.
      resolve: () => Promise.resolve(asked++ === 0 ? ['127.0.0.1'] : ['192.0.2.1']),
    };
    expect(await ask(new Outside(options), `https://keys.test:${port}/set`)).toBe(`keys.test:${port}`);
    expect(asked).toBe(1);
    const stranger = { ...options, resolve: () => Promise.resolve(['127.0.0.1']) };
    expect(await ask(new Outside(stranger), `https://other.test:${port}/`)).toBe(
      'no: it could not be asked (ERR_TLS_CERT_ALTNAME_INVALID)',
    );
    expect(await ask(new Outside({ ...stranger, ca: [] }), `https://keys.test:${port}/`)).toMatch(/^no: .*CERT/);
  });

  it('speaks without TLS to what the operator has named only', async () => {
    const port = await listening(createServer((_request, response) => response.end('plain')));
    expect(await ask(new Outside({ allow: LOOPBACK }), `http://127.0.0.1:${port}/`)).toBe('plain');
    expect(await ask(new Outside({ allow: [] }), `http://127.0.0.1:${port}/`)).toBe(NOT_ALLOWED);
    expect(await ask(new Outside({ allow: [], ...resolving('192.0.1.1') }), 'http://public.test/')).toBe(NOT_ALLOWED);
    expect(await ask(new Outside({ allow: LOOPBACK, ...resolving('127.0.0.1') }), 'ftp://inner.test/')).toBe(
      NOT_ALLOWED,
    );
  });

  it('has bounds: bytes, heads, time, redirects, broken answers, how many at once', async () => {
    const serve: RequestListener = (request, response) => {
      if (request.url === '/large') response.end('x'.repeat(2_000));
      else if (request.url === '/redirect') response.writeHead(302, { location: '/' }).end();
      else if (request.url === '/head') response.writeHead(200, { 'x-large': 'x'.repeat(20_000) }).end();
      else if (request.url === '/broken') {
        response.writeHead(200, { 'content-length': 10 }).write('half');
        setTimeout(() => response.destroy(), 20);
      }
    };
    const port = await listening(createServer(serve));
    const outside = new Outside({ allow: LOOPBACK });
    const at = (path: string, ms = 60_000): Promise<string> =>
      ask(outside, `http://127.0.0.1:${port}${path}`, 1_000, ms);
    expect(await at('/large')).toBe('no: its answer has more than 1000 bytes');
    expect(await at('/redirect')).toBe('no: it answered 302');
    expect(await at('/head')).toBe('no: it could not be asked (HPE_HEADER_OVERFLOW)');
    expect(await at('/broken')).toMatch(/^no: it could not be asked/);
    const silent = await Promise.all(Array.from({ length: 6 }, () => at('/silent', 300)));
    expect(silent.filter((words) => words === 'no: it did not answer in time')).toHaveLength(4);
    expect(silent.filter((words) => words === 'no: too much is asked for at once')).toHaveLength(2);
    // All places are there again.
    expect(await at('/redirect')).toBe('no: it answered 302');
  });

  it('waits neither for a name nor for a handshake without end', async () => {
    const never = new Outside({ allow: LOOPBACK, resolve: () => new Promise(() => {}) });
    expect(await ask(never, 'https://never.test/', 1, 50)).toBe('no: it did not answer in time');
    const port = await listening(createTcpServer(() => {}));
    expect(await ask(new Outside({ allow: LOOPBACK }), `https://127.0.0.1:${port}/`, 1, 50)).toBe(
      'no: it did not answer in time',
    );
    const nowhere = new Outside({ allow: [], resolve: () => Promise.reject(new Error('getaddrinfo ENOTFOUND x')) });
    expect(await ask(nowhere, 'https://nowhere.test/')).toBe('no: it could not be asked');
    expect(await ask(new Outside({ allow: [], ...resolving() }), 'https://none.test/')).toBe(
      'no: its name has no address',
    );
  });
});
