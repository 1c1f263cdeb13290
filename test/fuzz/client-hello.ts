/** The first bytes of a TLS connection, as the edge looks at them before it knows whose they are. */
// Internal to the edge: nobody but this needs a public name of them.
import { ClientHelloReader } from '../../packages/edge/src/connection/client-hello.ts';
import { helloBytes } from '../../packages/edge/src/testing/hello-bytes.ts';
import { cut, materialOf, mutatedOf, showChunks } from './mutate.ts';
import { type FuzzTarget, fuzzTarget, must, mustEqual } from './target.ts';

const HELLOS = materialOf(
  [
    helloBytes({ serverName: 'a.test', alpn: ['h2', 'http/1.1'] }),
    helloBytes({ serverName: 'A-much-longer-name.of-some.example' }),
    helloBytes({ serverName: 'split.test', alpn: ['h2'], recordSize: 7 }),
    helloBytes({ extraExtensions: [{ type: 43, value: Buffer.from([2, 3, 4]) }], trailing: Buffer.from('x') }),
    helloBytes({}),
    '\x16\x03\x01\0\0',
    '\x16\x03\x01\xff\xff\x01',
    'GET / HTTP/1.1\r\n',
  ],
  [
    '\x16\x03\x01',
    '\x16\x03\x01\0\x01',
    '\0\0',
    '\xff\xff',
    '\x01\0\0\x04',
    '\0\x10\0\x05\0\x03\x02h2',
    '.',
    'a.test',
    '\0',
  ],
);

export const clientHelloTarget: FuzzTarget = fuzzTarget<readonly Buffer[]>(
  'client-hello',
  (dice) => cut(mutatedOf(HELLOS, dice), dice),
  (chunks) => {
    const whole = read([Buffer.concat(chunks)]);
    const split = read(chunks);
    // Bytes behind a hello are seen only when they come with it, and HTTP only by its first bytes together.
    if (whole === 'invalid' || whole === 'http' || split === 'invalid') return;
    mustEqual(split, whole, 'another reading when cut');
  },
  showChunks,
);

function read(chunks: readonly Buffer[]): unknown {
  const reader = new ClientHelloReader();
  for (const chunk of chunks) {
    const result = reader.push(Buffer.from(chunk));
    if (result.kind === 'more') continue;
    if (result.kind !== 'hello') return result.kind;
    const { serverName } = result.hello;
    must(/^[\x21-\x7e]*$/.test(serverName) && serverName === serverName.toLowerCase(), 'a name that cannot be routed');
    return result.hello;
  }
  return 'more';
}
