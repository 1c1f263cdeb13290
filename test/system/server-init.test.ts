/** `postern server init`: what it finds of a domain by a real DNS server and real ports, and what it prints. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CommandResult, postern } from '../support/cli.ts';
import { freePort } from '@postern/edge/testing/free-port';

const DOMAIN = 'tun.example.com';
const [A, NS] = [1, 2];

/** Answers A records of 127.0.0.1, for names that it knows or that a wildcard covers, and NS records. */
let dns: Socket;
let wildcard = false;
let delegated = false;
let known: ReadonlySet<string> = new Set();
const undo: (() => unknown)[] = [];

beforeEach(async () => {
  [wildcard, delegated, known] = [false, false, new Set()];
  dns = createSocket('udp4');
  dns.bind(0, '127.0.0.1');
  await once(dns, 'listening');
  undo.push(() => dns.close());
  dns.on('message', (message, from) => dns.send(answer(message), from.port, from.address));
});
afterEach(() => {
  for (const one of undo.splice(0)) one();
});

function answer(message: Buffer): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  const name = labels.join('.').toLowerCase();
  const type = message.readUInt16BE(at + 1);
  const isKnown = known.has(name) || (wildcard && name.endsWith(`.${DOMAIN}`) && !name.startsWith('_'));
  const record = (data: string): Buffer =>
    Buffer.from(
      `c00c${type.toString(16).padStart(4, '0')}000100000001${(data.length / 2).toString(16).padStart(4, '0')}${data}`,
      'hex',
    );
  const wire = [
    ...DOMAIN.split('.').map(
      (label) => `${label.length.toString(16).padStart(2, '0')}${Buffer.from(label).toString('hex')}`,
    ),
    '00',
  ].join('');
  const records =
    type === A && isKnown
      ? [record('7f000001')]
      : type === NS && delegated && name === `_acme-challenge.${DOMAIN}`
        ? [record(wire)]
        : [];
  const header = Buffer.from(message.subarray(0, 12));
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(records.length, 6);
  header.writeUInt16BE(0, 10);
  return Buffer.concat([header, message.subarray(12, at + 5), ...records]);
}

async function run(...more: readonly string[]): Promise<CommandResult & { readonly ports: readonly [number, number] }> {
  const ports = [await freePort(), await freePort()] as const;
  const result = await postern([
    'server',
    'init',
    DOMAIN,
    `--resolver=127.0.0.1:${dns.address().port}`,
    `--http-port=${ports[0]}`,
    `--https-port=${ports[1]}`,
    ...more,
  ]);
  return { ...result, ports };
}

test('a domain without records: what to create, and the command', async () => {
  const { code, stdout } = await run('--address=203.0.113.7', '--address=2001:db8::7', '--email=me@example.com');
  expect(code).toBe(1);
  expect(stdout).toMatch(/^tun\.example\.com \(A, AAAA\) +\[ FAIL \] +there is no record$/m);
  expect(stdout).toContain(
    [
      'Create these records:',
      '',
      '  tun.example.com.  A  203.0.113.7',
      '  tun.example.com.  AAAA  2001:db8::7',
      '  *.tun.example.com.  A  203.0.113.7',
      '  *.tun.example.com.  AAAA  2001:db8::7',
      '  _acme-challenge.tun.example.com.  NS  tun.example.com.',
    ].join('\n'),
  );
  expect(stdout).toMatch(
    /--base-domain tun\.example\.com \\\n.*--http-listen 0\.0\.0\.0:80 .* \\\n.*--acme-email me@example\.com/,
  );
});

test('everything is there, and leads here: nothing is to be created', async () => {
  [wildcard, delegated, known] = [true, true, new Set([DOMAIN])];
  const { code, stdout, ports } = await run('--address=127.0.0.1', '--json');
  const found = JSON.parse(stdout);
  expect([code, found.ok, found.records]).toEqual([0, true, []]);
  expect(found.findings).toEqual([
    { check: `${DOMAIN} (A, AAAA)`, result: 'ok', words: '127.0.0.1' },
    { check: `*.${DOMAIN} (A, AAAA)`, result: 'ok', words: '127.0.0.1' },
    { check: `_acme-challenge.${DOMAIN}`, result: 'ok', words: expect.stringContaining('leads to this server') },
    ...ports.map((port) => ({ check: `port ${port}`, result: 'ok', words: '127.0.0.1: it leads here' })),
  ]);
  expect(found.command).toContain('--dns-listen 0.0.0.0:53');
});

test('a record that leads to another machine, and a port that somebody else has, are said', async () => {
  known = new Set([DOMAIN]);
  const other = net.createServer().listen(0, '::');
  undo.push(() => other.close());
  await once(other, 'listening');
  const address = other.address();
  const taken = typeof address === 'object' && address !== null ? address.port : 0;
  const { code, stdout } = await run('--address=203.0.113.7', `--http-port=${taken}`, '--json');
  const { findings, records } = JSON.parse(stdout);
  expect(code).toBe(1);
  expect(findings[0]).toMatchObject({
    result: 'warn',
    words: expect.stringContaining('127.0.0.1 is no address that this machine knows'),
  });
  expect(findings.find(({ check }: { check: string }) => check === `port ${taken}`)).toMatchObject({
    result: 'warn',
    words: expect.stringContaining('another program listens there'),
  });
  // The wildcard is to lead where the domain does.
  expect(records[0]).toEqual({ name: `*.${DOMAIN}`, type: 'A', value: '127.0.0.1' });
});

test.each([
  [['server', 'init', 'no_domain'], 'is no domain'],
  [['server', 'init', DOMAIN, '--address', 'x'], 'it is an IP address'],
  [['server', 'init', DOMAIN, '--resolver', 'ns'], 'address of a DNS server'],
  [['server', 'init', DOMAIN, '--http-port', '0'], 'it is a port'],
])('%j is refused', async (args, words) => {
  expect(await postern(args)).toMatchObject({ code: 2, stderr: expect.stringContaining(words) });
});
