/** Wildcard certificates from Pebble: records of our own name server, and of a program; and what strangers get of it. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { Resolver } from 'node:dns/promises';
import net from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DnsForwarder } from '../support/dns-forwarder.ts';
import { freePort } from '@postern/edge/testing/free-port';
import { findPebble, Pebble } from '../support/pebble.ts';
import { Platform, visitorsAt } from '../support/platform.ts';
import { shownAt } from '../support/tls-clients.ts';
import { PATIENCE_MS, until } from '../support/until.ts';

const BASE = 'tun.example.com';
const programs = await findPebble();

describe.skipIf(programs === null)('with Pebble', () => {
  const undo: (() => unknown)[] = [];
  let pebble: Pebble;
  let forwarder: DnsForwarder;
  let ports: { http: number; https: number; dns: number };
  beforeEach(async () => {
    if (programs === null) return;
    ports = { http: await freePort(), https: await freePort(), dns: await freePort() };
    pebble = await Pebble.start(programs, {
      httpPort: ports.http,
      tlsPort: ports.https,
      async resolver(others) {
        forwarder = await DnsForwarder.start(ports.dns, others);
        undo.push(() => forwarder.close());
        return forwarder.port;
      },
    });
    undo.push(() => pebble.stop());
  });
  afterEach(async () => {
    for (const one of undo.splice(0).toReversed()) await one();
  });

  async function start(args: readonly string[]): Promise<Platform> {
    const platform = await Platform.start({
      ...visitorsAt(ports),
      args: [`--base-domain=${BASE}`, ...pebble.flags, ...args],
    });
    undo.push(() => platform.dispose());
    return platform;
  }

  test('our own name server: the base domain with its wildcard, and a wildcard of a customer', async () => {
    const platform = await start([`--dns-listen=127.0.0.1:${ports.dns}`]);
    const own = `DNS:${BASE}, DNS:*.${BASE}`;
    const { subjectAltName: served = '' } = await until(() => shownAt(ports.https, `any.${BASE}`, pebble.root));
    expect(served.split(', ').toSorted()).toEqual(own.split(', ').toSorted());

    const { body } = await platform.api('POST', '/reserved_domains', { domain: '*.customer.example' });
    expect(body.acme_challenge_cname_target).toMatch(/^[0-9a-f]{32}\._acme-challenge\.tun\.example\.com$/);
    const waiting = await until(async () => {
      const { certificate_management_status: status } = (await platform.api('GET', `/reserved_domains/${body.id}`))
        .body;
      return status.provisioning_job?.error_code === 'DNS_ERROR' ? status.provisioning_job : null;
    });
    expect(waiting.msg).toBe(
      `Create a CNAME record for _acme-challenge.customer.example that points to ${body.acme_challenge_cname_target}.`,
    );
    forwarder.aliases.set('_acme-challenge.customer.example', body.acme_challenge_cname_target);
    await pebble.setDns('set-cname', {
      host: '_acme-challenge.customer.example',
      target: body.acme_challenge_cname_target,
    });
    // Another kind of key is asked for at once.
    await platform.api('PATCH', `/reserved_domains/${body.id}`, {
      certificate_management_policy: { authority: 'letsencrypt', private_key_type: 'rsa' },
    });
    expect((await until(() => shownAt(ports.https, 'shop.customer.example', pebble.root))).subjectAltName).toBe(
      'DNS:*.customer.example',
    );

    // What was answered is gone with the order; names of others are refused, and nobody is asked about them.
    const resolver = new Resolver({ timeout: PATIENCE_MS, tries: 1 });
    resolver.setServers([`127.0.0.1:${ports.dns}`]);
    await expect(resolver.resolveTxt(`_acme-challenge.${BASE}`)).rejects.toMatchObject({ code: 'ENODATA' });
    await expect(resolver.resolveTxt(`x._acme-challenge.${BASE}`)).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(resolver.resolveTxt('example.org')).rejects.toMatchObject({ code: 'EREFUSED' });
    expect(await resolver.resolveNs(`_acme-challenge.${BASE}`)).toEqual([BASE]);
    expect(platform.output).not.toContain('"level":"error"');
  });

  test('strangers get nothing out of it that is larger than three times what they sent, and nothing down', async () => {
    const platform = await start([`--dns-listen=127.0.0.1:${ports.dns}`]);
    const question = (name: string, type: number): Buffer => {
      const labels = name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
      return Buffer.concat([
        Buffer.from('123401000001000000000000', 'hex'),
        ...labels,
        Buffer.from([0, 0, type, 0, 1]),
      ]);
    };
    const socket = createSocket('udp4');
    undo.push(() => socket.close());
    const hostile = [
      Buffer.alloc(0),
      Buffer.alloc(11),
      Buffer.alloc(60_000, 0xff),
      // A name that points at itself, one without an end, two questions, an answer, another class.
      Buffer.from('12340100000100000000000 0c00c00100001'.replace(' ', ''), 'hex'),
      Buffer.concat([Buffer.from('123401000001000000000000', 'hex'), Buffer.alloc(300, 63)]),
      Buffer.from('1234010000020000000000000000100001', 'hex'),
      Buffer.from('1234810000010000000000000000100001', 'hex'),
      Buffer.from('1234010000010000000000000000100003', 'hex'),
    ];
    for (const bytes of hostile) socket.send(bytes, ports.dns, '127.0.0.1');
    const sizes: [number, number][] = [];
    for (const [name, type] of [
      [`_acme-challenge.${BASE}`, 255],
      [`_acme-challenge.${BASE}`, 6],
      [`a.${'b.'.repeat(50)}_acme-challenge.${BASE}`, 16],
      ['example.org', 16],
      ['', 2],
    ] as const) {
      const asked = name === '' ? Buffer.from('1234010000010000000000000000020001', 'hex') : question(name, type);
      socket.send(asked, ports.dns, '127.0.0.1');
      const [answer] = await once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) });
      sizes.push([asked.length, Buffer.isBuffer(answer) ? answer.length : Infinity]);
    }
    for (const [sent, got] of sizes) expect(got).toBeLessThanOrEqual(sent * 3);

    // Whoever asks much gets no byte more than he sent: the address may be somebody else's. Some is lost, as in any flood.
    const asked = question(`_acme-challenge.${BASE}`, 6);
    const answers: number[] = [];
    const count = (answer: Buffer): void => void answers.push(answer.length);
    socket.on('message', count);
    for (let n = 0; n < 1_500; n++) socket.send(asked, ports.dns, '127.0.0.1');
    await until(() => answers.length >= 200);
    socket.off('message', count);
    expect(answers.filter((length) => length > asked.length).length).toBeLessThan(answers.length / 2);

    // By TCP: lengths of 64 KiB with and without what they promise, connections that ask nothing, and more than are served.
    const connect = (): net.Socket => {
      const one = net.connect(ports.dns, '127.0.0.1');
      one.on('error', () => {});
      return one;
    };
    const endless = [connect(), connect()];
    endless[0]?.write(Buffer.from([0xff, 0xff]));
    endless[1]?.write(Buffer.concat([Buffer.from([0xff, 0xff]), Buffer.alloc(65_535, 1)]));
    await Promise.all(endless.map((one) => once(one, 'close').catch(() => null)));
    const silent = Array.from({ length: 200 }, connect);
    for (const [n, one] of silent.entries()) if (n % 2 === 0) one.write(Buffer.from([0]));
    for (const one of silent.slice(0, 20)) one.end();
    // While they hold their connections, who comes to ask is answered.
    const late = connect();
    late.write(Buffer.concat([Buffer.from([0, asked.length]), asked]));
    const [answer] = await once(late, 'data', { signal: AbortSignal.timeout(PATIENCE_MS) });
    expect(Buffer.isBuffer(answer) && answer.length).toBeGreaterThan(asked.length);
    late.destroy();
    await Promise.all(silent.filter(({ closed }) => !closed).map((one) => once(one, 'close').catch(() => null)));
    const resolver = new Resolver({ timeout: 2_000, tries: 3 });
    resolver.setServers([`127.0.0.1:${ports.dns}`]);
    await until(() => resolver.resolveNs(`_acme-challenge.${BASE}`).then((found) => found.join() === BASE));
    expect(platform.output).not.toContain('"level":"error"');
  });

  test('a program, called as lego calls one, that is not told our secrets', async () => {
    const platform = await Platform.start({ args: ['--base-domain=unused.example.com'] });
    undo.push(() => platform.dispose());
    const program = path.join(platform.dataDir, 'hook.mjs');
    const log = path.join(platform.dataDir, 'hook.log');
    const dns = new URL(pebble.dnsManagement);
    await writeFile(
      program,
      `#!${process.execPath}
import { appendFileSync } from 'node:fs';
const [what, host, value] = process.argv.slice(2);
appendFileSync(${JSON.stringify(log)}, [what, host, Object.keys(process.env).some((n) => n.startsWith('POSTERN_'))].join(' ') + '\\n');
const body = what === 'present' ? { host, value } : { host };
await fetch(${JSON.stringify(dns.href)} + (what === 'present' ? 'set-txt' : 'clear-txt'), { method: 'POST', body: JSON.stringify(body) });
`,
    );
    await chmod(program, 0o700);
    // Its records are where names of others are.
    forwarder.everythingElsewhere = true;
    await start([`--dns-hook=${program}`]);
    expect((await until(() => shownAt(ports.https, `any.${BASE}`, pebble.root))).subjectAltName).toContain(
      `DNS:*.${BASE}`,
    );
    const lines = (
      await until(async () => {
        const text = await readFile(log, 'utf8');
        return text.includes('cleanup') ? text : null;
      })
    )
      .trim()
      .split('\n');
    expect(new Set(lines)).toEqual(
      new Set([`present _acme-challenge.${BASE}. false`, `cleanup _acme-challenge.${BASE}. false`]),
    );
  });
});
