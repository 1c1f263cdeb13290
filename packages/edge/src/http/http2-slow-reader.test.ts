import { once } from 'node:events';
import { connect } from 'node:http2';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { dial, harness, sleep } from '../testing/http-harness.ts';
import { rawService } from '../testing/services.ts';

const KB = 1_024;

/** Whether all of a body arrives at a visitor that reads when it is told to. */
test('an answer goes on when its visitor does, also when bytes came while it waited', async () => {
  const accepted = Promise.withResolvers<Socket>();
  await using service = await rawService((socket) => accepted.resolve(socket));
  await using edge = await harness({ http2: true, agents: { s1: dial(service.port) } });
  edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1')] }));
  const session = connect(`http://127.0.0.1:${edge.port}`);
  const stream = session.request({ ':path': '/', ':authority': 'app.test', ':scheme': 'http' });
  const socket = await accepted.promise;
  await once(socket, 'data');
  const length = 2_000 * KB;
  let sent = 0;
  const send = (bytes: number): void => {
    sent += bytes;
    socket.write(Buffer.alloc(bytes, 'x'));
  };
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`);
  await once(stream, 'response');
  let got = 0;
  const read = async (atLeast: number): Promise<void> => {
    while (got < atLeast) {
      const chunk: Buffer | null = stream.read();
      if (chunk === null) await once(stream, 'readable');
      else got += chunk.length;
    }
  };
  // More than the edge keeps before it makes the service wait, then more while that is on its way, so that what is left
  // lies between "wait" and "go on" when the next piece comes.
  send(150 * KB);
  await sleep(50);
  send(90 * KB);
  await sleep(50);
  await read(100 * KB);
  await sleep(50);
  send(10 * KB);
  await sleep(50);
  send(length - sent);
  await read(length);
  expect(got).toBe(length);
  session.destroy();
});
