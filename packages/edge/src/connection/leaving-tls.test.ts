import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, test } from 'vitest';
import { edgeHarness, eventually, visitorConnections, WILDCARD_CERTIFICATE } from '../testing/edge-harness.ts';

/** A deadline that must not be what ends these connections. */
const LONG = 120_000;

describe('a visitor who leaves at the end of the TLS handshake is let go at once', () => {
  const rows: readonly (readonly [string, 'reset' | 'destroy' | 'end', readonly string[] | undefined])[] = [
    ['by FIN', 'end', undefined],
    ['by destroying', 'destroy', undefined],
    ['by destroying, HTTP/2', 'destroy', ['h2']],
    ['by RST', 'reset', undefined],
    ['by FIN, HTTP/2', 'end', ['h2']],
    ['by RST, HTTP/2', 'reset', ['h2']],
  ];
  test.each(rows)('%s', async (_, how, protocols) => {
    await using harness = await edgeHarness({ limits: { tlsHandshakeMs: LONG, requestHeadMs: LONG, idleMs: LONG } });
    const agent = await harness.agent();
    await agent.bind('https://app.example.test');
    const port = harness.edge.addresses.https.port;
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const raw = connect({ host: '127.0.0.1', port });
        raw.on('error', () => {});
        const socket = connectTls({
          socket: raw,
          servername: 'app.example.test',
          ca: WILDCARD_CERTIFICATE.cert,
          ...(protocols === undefined ? {} : { ALPNProtocols: [...protocols] }),
        });
        socket.on('error', () => {});
        await once(socket, 'secureConnect');
        if (how === 'reset') raw.resetAndDestroy();
        else if (how === 'destroy') socket.destroy();
        else socket.end();
      }),
    );
    await eventually(async () => (await visitorConnections(harness)) === 0);
  });
});
