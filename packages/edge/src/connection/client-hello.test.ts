import { connect as tlsConnect } from 'node:tls';
import { createServer } from 'node:net';
import { once } from 'node:events';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { helloBytes, helloMessage, records } from '../testing/hello-bytes.ts';
import { ClientHelloReader, type HelloResult } from './client-hello.ts';

function read(bytes: Buffer): HelloResult {
  return new ClientHelloReader().push(bytes);
}

describe('ClientHello reader', () => {
  test('takes name and protocols out', () => {
    expect(read(helloBytes({ serverName: 'App.Example.com', alpn: ['h2', 'http/1.1'] }))).toEqual({
      kind: 'hello',
      hello: { serverName: 'app.example.com', alpn: ['h2', 'http/1.1'] },
    });
  });

  test('a hello without SNI has the empty name', () => {
    expect(read(helloBytes({}))).toEqual({ kind: 'hello', hello: { serverName: '', alpn: [] } });
  });

  test('any record size and any split of the wire give the same answer', () => {
    const label = fc.stringMatching(/^[a-z0-9_-]{1,20}$/);
    fc.assert(
      fc.property(
        fc.array(label, { minLength: 1, maxLength: 4 }),
        fc.array(fc.stringMatching(/^[a-z0-9./]{1,10}$/), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 400 }),
        fc.array(fc.nat(2000), { maxLength: 20 }),
        (labels, alpn, recordSize, cuts) => {
          const serverName = labels.join('.');
          const bytes = helloBytes({ serverName, alpn, recordSize });
          const edges = [...new Set(cuts.map((cut) => cut % bytes.length))].toSorted((a, b) => a - b);
          const reader = new ClientHelloReader();
          let result: HelloResult = { kind: 'more' };
          let from = 0;
          for (const edge of [...edges, bytes.length]) {
            expect(result.kind).toBe('more');
            result = reader.push(bytes.subarray(from, edge));
            from = edge;
          }
          expect(result).toEqual({ kind: 'hello', hello: { serverName, alpn } });
        },
      ),
    );
  });

  test('any prefix asks for more, any damage is answered without throwing', () => {
    const bytes = helloBytes({ serverName: 'a.example.com', alpn: ['h2'], recordSize: 60 });
    for (let length = 1; length < bytes.length; length++) expect(read(bytes.subarray(0, length)).kind).toBe('more');
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Buffer.from(bytes);
        damaged.writeUInt8((damaged.readUInt8(at) ^ flip) & 0xff, at);
        expect(['more', 'hello', 'http', 'invalid']).toContain(read(damaged).kind);
      }),
    );
  });

  test.each([
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\n'), 'http'],
    ['an alert record', Buffer.from([21, 3, 1, 0, 2, 2, 40]), 'invalid'],
    ['SSL 2', Buffer.from([0x80, 0x2e, 1, 0, 2]), 'invalid'],
    ['another record version', Buffer.from([22, 2, 0, 0, 5]), 'invalid'],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0]), 'invalid'],
    ['a record of 16,385 bytes', Buffer.from([22, 3, 1, 0x40, 0x01]), 'invalid'],
    ['a hello of 16 MiB', records(Buffer.from([1, 0xff, 0xff, 0xff, 3, 3]), 100), 'invalid'],
    ['a ServerHello', records(Buffer.from([2, 0, 0, 10]), 100), 'invalid'],
    ['a name with a space', helloBytes({ serverName: 'a b.example.com' }), 'invalid'],
    ['a name with an empty label', helloBytes({ serverName: 'a..example.com' }), 'invalid'],
    ['an empty name', helloBytes({ serverName: '' }), 'invalid'],
    ['a name of 256 bytes', helloBytes({ serverName: 'a'.repeat(256) }), 'invalid'],
    ['an empty ALPN list', helloBytes({ alpn: [] }), 'invalid'],
    ['an empty ALPN protocol', helloBytes({ alpn: [''] }), 'invalid'],
    ['bytes behind the extensions', helloBytes({ serverName: 'a.example.com', trailing: Buffer.from([0]) }), 'invalid'],
    [
      'SNI twice',
      helloBytes({
        serverName: 'a.example.com',
        extraExtensions: [{ type: 0, value: Buffer.from([0, 4, 0, 0, 1, 0x61]) }],
      }),
      'invalid',
    ],
    [
      'another message in the same record',
      records(Buffer.concat([helloMessage({ serverName: 'a.example.com' }), Buffer.from([1])]), 16_384),
      'invalid',
    ],
  ])('%s is told apart', (_name, bytes, kind) => {
    expect(read(bytes).kind).toBe(kind);
  });

  test('reads what a real TLS client sends', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    if (port === undefined) throw new Error('not bound');
    const client = tlsConnect({ host: '127.0.0.1', port, servername: 'real.example.com', ALPNProtocols: ['h2'] });
    client.on('error', () => {});
    const chunk = await new Promise<Buffer>((resolve) => {
      server.once('connection', (socket) => socket.once('data', resolve));
    });
    client.destroy();
    server.close();
    expect(read(chunk)).toEqual({
      kind: 'hello',
      hello: { serverName: 'real.example.com', alpn: ['h2'] },
    });
  });
});
