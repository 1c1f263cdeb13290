/** Certificates are replaced while visitors come and stay: nobody notices. */
import https from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import tls from 'node:tls';
import type { AgentSession } from '@postern/agent';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { agentOf } from '../support/agent.ts';
import { freePort } from '@postern/edge/testing/free-port';
import { findPebble, Pebble } from '../support/pebble.ts';
import { Platform, visitorsAt } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { httpUpstream } from '../support/upstream.ts';
import { connectHttp2, requestHttp2 } from '../support/visit-http2.ts';

const NAMES = ['a.customer.example', 'b.customer.example'] as const;
/** Which name gets a new one, and with what kind of key. */
const RENEWALS = [
  [0, 'rsa'],
  [1, 'rsa'],
  [0, 'ecdsa'],
  [1, 'ecdsa'],
  [0, 'rsa'],
] as const;
const PAUSE_MS = 10;
const programs = await findPebble();
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).toReversed()) await one();
});

/** Visits of one kind, one after another until the end. */
interface Visitor {
  readonly kind: string;
  done: number;
  readonly errors: string[];
}

describe.skipIf(programs === null)('with Pebble', () => {
  test('through five renewals no request, handshake, resumption or WebSocket fails', async () => {
    if (programs === null) return;
    const ports = { http: await freePort(), https: await freePort() };
    const pebble = await Pebble.start(programs, { httpPort: ports.http, tlsPort: ports.https });
    undo.push(() => pebble.stop());
    await pebble.point(...NAMES);
    const platform = await Platform.start({
      ...visitorsAt(ports),
      // A busy machine refuses nobody here: what fails is of the renewals.
      args: ['--base-domain=tun.example.com', ...pebble.flags],
    });
    undo.push(() => platform.dispose());
    const ids: string[] = [];
    for (const domain of NAMES) ids.push((await platform.api('POST', '/reserved_domains', { domain })).body.id);
    const upstream = await httpUpstream((_request, response) => response.end('ok'));
    undo.push(() => upstream.close());
    const sockets = new WebSocketServer({ server: upstream.server });
    sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    const agent: AgentSession = agentOf(platform);
    undo.push(() => agent.close(0));
    for (const name of NAMES) await agent.listen({ url: `https://${name}`, upstream: upstream.url });

    const secured = (servername: string, more: tls.ConnectionOptions = {}): tls.TLSSocket =>
      tls.connect({ host: '127.0.0.1', port: ports.https, servername, ca: pebble.root, ...more });
    const shaken = (socket: tls.TLSSocket): Promise<tls.TLSSocket> =>
      new Promise((resolve, reject) => {
        socket.on('secureConnect', () => resolve(socket)).on('error', reject);
      });
    const serial = async (name: string): Promise<string> => {
      const socket = await shaken(secured(name));
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber;
    };
    for (const name of NAMES) await until(() => serial(name));

    const over = new AbortController();
    const visitors: Visitor[] = [];
    const visits: Promise<void>[] = [];
    const visit = (kind: string, once: () => Promise<void>): void => {
      const visitor: Visitor = { kind, done: 0, errors: [] };
      visitors.push(visitor);
      const again = async (): Promise<void> => {
        while (!over.signal.aborted) {
          await once().then(
            () => (visitor.done += 1),
            (error: unknown) => visitor.errors.push(String(error)),
          );
          await wait(PAUSE_MS);
        }
      };
      visits.push(again());
    };
    // Visitors trust Pebble, and not the authority of this installation.
    const trusting = { runtime: platform.runtime, ca: pebble.root };
    for (const name of NAMES) {
      const session = connectHttp2(trusting, `https://${name}`);
      undo.push(() => session.destroy());
      visit(`HTTP/2 on one connection, ${name}`, async () => {
        const { status, text } = await requestHttp2(session, '/', {});
        if (status !== 200 || text !== 'ok') throw new Error(`${status} ${text}`);
      });
      const agents = { kept: new https.Agent({ keepAlive: true, maxSockets: 1 }), fresh: new https.Agent() };
      undo.push(() => agents.kept.destroy());
      for (const [kind, used] of Object.entries(agents)) {
        visit(`HTTP/1.1, ${kind}, ${name}`, async () => {
          const status = await new Promise((resolve, reject) => {
            const sent = https.get(
              {
                host: '127.0.0.1',
                port: ports.https,
                servername: name,
                ca: pebble.root,
                agent: used,
                headers: { host: name },
              },
              (answer) => answer.on('end', () => resolve(answer.statusCode)).resume(),
            );
            sent.on('error', reject);
          });
          if (status !== 200) throw new Error(String(status));
        });
      }
      let ticket: Buffer | undefined;
      visit(`resumption, ${name}`, async () => {
        const socket = await shaken(secured(name, { maxVersion: 'TLSv1.2', ...(ticket ? { session: ticket } : {}) }));
        const resumed = socket.isSessionReused();
        const first = ticket === undefined;
        ticket = socket.getSession();
        socket.destroy();
        if (!first && !resumed) throw new Error('shaken hands in full');
      });
      const live = new WebSocket(`wss://${name}:${ports.https}/`, { ca: pebble.root, lookup: toHere });
      undo.push(() => live.terminate());
      await new Promise((resolve, reject) => live.on('open', resolve).on('error', reject));
      const received: string[] = [];
      live.on('message', (data: Buffer) => received.push(data.toString()));
      let sent = 0;
      visit(`WebSocket, ${name}`, async () => {
        sent += 1;
        live.send(String(sent));
        await until(() => received.at(-1) === String(sent) || live.readyState !== WebSocket.OPEN);
        if (live.readyState !== WebSocket.OPEN) throw new Error('it is closed');
      });
    }
    for (const [which, type] of RENEWALS) {
      const [name, id] = [NAMES[which], ids[which]];
      const before = await serial(name);
      const done = visitors.map((one) => one.done);
      await platform.api('PATCH', `/reserved_domains/${id}`, {
        certificate_management_policy: { authority: 'letsencrypt', private_key_type: type },
      });
      await until(async () => (await serial(name)) !== before);
      await until(() => visitors.every((one, index) => one.done > (done[index] ?? 0)));
    }
    over.abort();
    await Promise.all(visits);
    expect(visitors.flatMap(({ kind, errors }) => errors.map((error) => `${kind}: ${error}`))).toEqual([]);
    console.info(`${visitors.reduce((sum, { done }) => sum + done, 0)} visits of ${visitors.length} kinds`);
    const { tls_certificates: left } = (await platform.api('GET', '/tls_certificates')).body;
    expect(left).toHaveLength(NAMES.length);
  });
});

const toHere: NonNullable<tls.ConnectionOptions['lookup']> = (_name, options, answer) => {
  if (options.all === true) answer(null, [{ address: '127.0.0.1', family: 4 }]);
  else answer(null, '127.0.0.1', 4);
};
