/** One question to one server: by UDP, and by TCP where that is cut or says nothing. */
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { DnsAddress } from './answerer.ts';
import { type DnsMessage, readMessage } from './message.ts';

const UDP_MS = 3_000;
const TCP_MS = 10_000;
/** What is asked here is answered in some hundred bytes. */
const MOST_BYTES = 16_384;

export interface Answered {
  readonly bytes: Buffer;
  readonly message: DnsMessage;
}

/** @throws Error in words */
export async function ask(server: DnsAddress, question: Buffer): Promise<Answered> {
  const byUdp = await overUdp(server, question);
  if (byUdp !== null && !byUdp.message.truncated) return byUdp;
  return overTcp(server, question);
}

/** null = nothing came in time. */
function overUdp({ host, port }: DnsAddress, question: Buffer): Promise<Answered | null> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    const end = (answered: Answered | null): void => {
      clearTimeout(late);
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.close();
      resolve(answered);
    };
    const late = setTimeout(() => end(null), UDP_MS);
    socket.on('error', () => end(null));
    socket.on('message', (bytes) => {
      const message = answerTo(question, bytes);
      if (message !== null) end({ bytes, message });
    });
    // Connected, it hears nobody else.
    socket.connect(port, host, () => socket.send(question));
  });
}

function overTcp({ host, port }: DnsAddress, question: Buffer): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const end = (done: () => void): void => {
      clearTimeout(late);
      socket.destroy();
      done();
    };
    const fail = (words: string): void => end(() => reject(new Error(`${host} port ${port}: ${words}`)));
    const late = setTimeout(() => fail('no answer'), TCP_MS);
    let kept: Buffer = Buffer.alloc(0);
    socket.on('error', (error: NodeJS.ErrnoException) =>
      fail(error.code === 'ECONNREFUSED' ? 'nobody listens there' : error.message),
    );
    socket.on('close', () => fail('it says nothing'));
    socket.on('connect', () => {
      const size = Buffer.alloc(2);
      size.writeUInt16BE(question.length);
      socket.write(Buffer.concat([size, question]));
    });
    socket.on('data', (part: Buffer) => {
      kept = Buffer.concat([kept, part]);
      if (kept.length > MOST_BYTES) return fail('the answer is too large');
      if (kept.length < 2 || kept.length < 2 + kept.readUInt16BE(0)) return;
      const bytes = kept.subarray(2, 2 + kept.readUInt16BE(0));
      const message = answerTo(question, bytes);
      if (message === null) fail('what it says is no answer');
      else end(() => resolve({ bytes, message }));
    });
  });
}

/** null = it is another one's, or none. */
function answerTo(question: Buffer, bytes: Buffer): DnsMessage | null {
  const message = readMessage(bytes);
  return message?.isAnswer === true && message.id === question.readUInt16BE(0) ? message : null;
}
