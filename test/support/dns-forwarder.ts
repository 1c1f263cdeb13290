/**
 * What recursive resolvers do for `_acme-challenge` names: NS records lead those of base domains to a server under test,
 * CNAME records those of others to a name there. Everything else goes to the DNS server of Pebble. By UDP and TCP.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { portOf } from './port-of.ts';
import { tcpAndUdp } from './tcp-and-udp.ts';

const HEADER = 12;
const TXT = 16;
const CHALLENGE = '_acme-challenge';

export class DnsForwarder {
  readonly port: number;
  /** Lower case: name to name. */
  readonly aliases = new Map<string, string>();
  /** No name leads to the server under test. */
  everythingElsewhere = false;
  readonly #ours: number;
  readonly #others: number;
  readonly #udp: Socket;
  readonly #tcp: net.Server;

  private constructor(tcp: net.Server, udp: Socket, ours: number, others: number) {
    this.#tcp = tcp;
    this.#udp = udp;
    this.#ours = ours;
    this.#others = others;
    this.port = portOf(tcp);
    // Who asked what is answered after our end is gone as well.
    udp.on('message', (message, from) => void this.#datagram(message, from.port).catch(() => {}));
    tcp.on('connection', (socket: net.Socket) => void this.#connection(socket));
  }

  /** @param ours port of the server under test. @param others port of Pebble's */
  static async start(ours: number, others: number): Promise<DnsForwarder> {
    const { tcp, udp } = await tcpAndUdp();
    return new DnsForwarder(tcp, udp, ours, others);
  }

  close(): void {
    this.#udp.close();
    this.#tcp.close();
  }

  async #datagram(message: Buffer, port: number): Promise<void> {
    const answer = await this.#answer(message, askByUdp);
    if (answer !== null) this.#udp.send(answer, port, '127.0.0.1', () => {});
  }

  async #connection(socket: net.Socket): Promise<void> {
    socket.on('error', () => socket.destroy());
    const message = await readFramed(socket);
    const answer = message === null ? null : await this.#answer(message, askByTcp);
    if (answer === null) socket.destroy();
    else socket.end(framed(answer));
  }

  async #answer(message: Buffer, ask: typeof askByUdp): Promise<Buffer | null> {
    const name = nameOf(message);
    const target = this.aliases.get(name);
    const type = message.readUInt16BE(HEADER + name.length + 2);
    const isChallenge = name.startsWith(CHALLENGE) || name.includes(`.${CHALLENGE}.`);
    const toOurs = !this.everythingElsewhere && isChallenge && (target === undefined || type === TXT);
    if (!toOurs) return ask(this.#others, message);
    if (target === undefined) return ask(this.#ours, message);
    const answer = await ask(this.#ours, renamed(message, target));
    return answer === null ? null : renamed(answer, name);
  }
}

/** Answers point at the name of the question, so that they follow when it is another one. */
function renamed(message: Buffer, name: string): Buffer {
  const end = HEADER + nameOf(message).length + 2;
  const labels = name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
  return Buffer.concat([message.subarray(0, HEADER), ...labels, Buffer.alloc(1), message.subarray(end)]);
}

function nameOf(message: Buffer): string {
  const labels: string[] = [];
  let at = HEADER;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length).toLowerCase());
    at += length + 1;
  }
  return labels.join('.');
}

async function askByUdp(port: number, message: Buffer): Promise<Buffer | null> {
  const socket = createSocket('udp4');
  const answered = once(socket, 'message', { signal: AbortSignal.timeout(2_000) }).catch(() => null);
  socket.send(message, port, '127.0.0.1');
  const answer = await answered;
  socket.close();
  const [bytes]: unknown[] = answer ?? [];
  return Buffer.isBuffer(bytes) ? bytes : null;
}

async function askByTcp(port: number, message: Buffer): Promise<Buffer | null> {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => socket.destroy());
  socket.write(framed(message));
  const answer = await readFramed(socket);
  socket.destroy();
  return answer;
}

function framed(message: Buffer): Buffer {
  const size = Buffer.alloc(2);
  size.writeUInt16BE(message.length, 0);
  return Buffer.concat([size, message]);
}

/** null = it ended before. */
function readFramed(socket: net.Socket): Promise<Buffer | null> {
  return new Promise((resolve) => {
    let kept: Buffer = Buffer.alloc(0);
    socket.on('close', () => resolve(null));
    socket.on('data', (part: Buffer) => {
      kept = Buffer.concat([kept, part]);
      if (kept.length >= 2 && kept.length >= 2 + kept.readUInt16BE(0))
        resolve(kept.subarray(2, 2 + kept.readUInt16BE(0)));
    });
  });
}
