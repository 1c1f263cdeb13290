/** What tenants and visitors who mean no good make of certificates that come by themselves: nothing, and none for others later. */
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AcmeServer } from '../support/acme-server.ts';
import type { CaRelay } from '../support/ca-relay.ts';
import { findPebble, type Pebble } from '../support/pebble.ts';
import { Platform } from '../support/platform.ts';
import { until } from '../support/until.ts';

/** Nobody points it here: it costs no order of its own. */
const BASE = 'tun.example.com';
const CROWD = 1_000;
const programs = await findPebble();

describe.skipIf(programs === null)('with Pebble', () => {
  const undo: (() => unknown)[] = [];
  let pebble: Pebble;
  let relay: CaRelay;
  let ports: AcmeServer['ports'];
  let platform: Platform;
  beforeEach(async () => {
    if (programs === null) return;
    const made = await AcmeServer.prepare(programs, BASE, [], undo);
    ({ pebble, relay, ports } = made);
    platform = await Platform.start(made.options);
    undo.push(() => platform.dispose());
  });
  afterEach(async () => {
    for (const one of undo.splice(0).toReversed()) await one();
  });

  const trusted = (name: string): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = tls.connect({ host: '127.0.0.1', port: ports.https, servername: name, ca: pebble.root }, () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });

  const reserve = async (domain: string): Promise<string> => {
    const { status, body } = await platform.api('POST', '/reserved_domains', { domain });
    expect(status).toBe(201);
    return body.id;
  };

  test('a thousand names that do not lead here cost no order, and those of others come as ever', async () => {
    const others = ['a.other.example', 'b.other.example', 'c.another.example'];
    await pebble.point(...others);
    const ids: string[] = [];
    const crowd = Array.from({ length: CROWD }, (_, n) => `n${n}.crowd-${n % 7}.example`);
    const reserveCrowd = async (): Promise<void> => {
      for (let name = crowd.pop(); name !== undefined; name = crowd.pop()) ids.push(await reserve(name));
    };
    const crowded = Promise.all(Array.from({ length: 8 }, reserveCrowd));
    await until(() => ids.length > CROWD / 2);
    const from = performance.now();
    for (const name of others) await reserve(name);
    await until(async () => (await Promise.all(others.map(trusted))).every(Boolean));
    const ms = performance.now() - from;
    await crowded;
    console.info(`${others.length} certificates in ${Math.round(ms)} ms beside ${CROWD} names that lead nowhere`);
    const waiting = await until(async () => {
      const { body } = await platform.api('GET', `/reserved_domains/${ids.at(-1)}`);
      const { provisioning_job: job } = body.certificate_management_status;
      return job?.error_code === null ? null : job;
    });
    expect(waiting).toMatchObject({ error_code: 'DNS_ERROR', msg: expect.stringContaining('no address yet') });
    expect(relay.made).toEqual({ account: 1, order: others.length });
  });

  /** Status and body that whoever asks gets. */
  const ask = (host: string, path: string, method = 'GET'): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const sent = http.request({ host: '127.0.0.1', port: ports.http, path, method, headers: { host } }, (got) => {
        let text = '';
        got.setEncoding('latin1').on('data', (part: string) => (text += part));
        got.on('end', () => resolve({ status: got.statusCode ?? 0, text }));
      });
      sent.on('error', reject).end();
    });

  test('visitors who come for the word of another name, by odd ways or in crowds get nothing and hold nothing up', async () => {
    const name = 'shop.customer.example';
    await pebble.point(name);
    const reached = relay.hold({ step: 'challenge', nth: 1, side: 'before' });
    await reserve(name);
    await reserve('victim.customer.example');
    await reached;
    const found = await until(async () => {
      for (const token of relay.tokens) {
        const { status, text } = await ask(name, `/.well-known/acme-challenge/${token}`);
        if (status === 200) return { token, text };
      }
      return null;
    });
    const { token, text: word } = found;
    expect(word).toMatch(new RegExp(`^${token}\\.[\\w-]{43}$`));
    const path = `/.well-known/acme-challenge/${token}`;
    const odd: readonly [host: string, path: string, method?: string][] = [
      ['victim.customer.example', path],
      [`x.${name}`, path],
      ['127.0.0.1', path],
      [name, '/.well-known/acme-challenge/'],
      [name, '/.well-known/acme-challenge'],
      [name, `${path}/`],
      [name, `/x/..${path}`],
      [name, `/${path}`],
      [name, path.replace('acme', '%61cme')],
      [name, path.toUpperCase()],
      [name, `/.well-known/acme-challenge/../acme-challenge/${token}`],
      [name, `/.well-known/acme-challenge/${token.slice(0, -1)}`],
      [name, `/.well-known/acme-challenge/${'A'.repeat(60_000)}`],
      [name, path, 'POST'],
      [name, path, 'DELETE'],
    ];
    for (const [host, target, method] of odd) {
      const answer = await ask(host, target, method);
      expect(answer.status, `${method ?? 'GET'} ${host} ${target.slice(0, 100)}`).toBeGreaterThanOrEqual(400);
      expect(answer.text).not.toContain(word);
    }
    // Handshakes as an authority makes them show nobody a key that is none of theirs.
    const alpn = tls.connect({ host: '127.0.0.1', port: ports.https, servername: name, ALPNProtocols: ['acme-tls/1'] });
    const failed = await new Promise((resolve) => alpn.on('error', resolve).on('secureConnect', () => resolve(null)));
    alpn.destroy();
    expect(failed).not.toBeNull();
    const flood = Array.from({ length: 20 }, async () => {
      for (let n = 0; n < 50; n++) await ask(name, `/.well-known/acme-challenge/${n}`);
    });
    const silent = Array.from({ length: 200 }, () => net.connect(ports.http, '127.0.0.1').on('error', () => {}));
    relay.release();
    await until(() => trusted(name));
    await Promise.all(flood);
    for (const one of silent) one.destroy();
    expect(relay.made.order).toBe(1);
    // The word is gone with the order.
    await until(async () => (await ask(name, path)).status >= 400);
    expect(platform.output).not.toContain('"level":"error"');
  });
});
