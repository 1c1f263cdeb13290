/**
 * A name server for one zone that takes signed updates (RFC 2136, 8945), as far as tests need one where BIND is not: it
 * checks signatures by itself, keeps TXT records, and says what came. By UDP and TCP; by UDP it may say that it is cut.
 */
import { createHmac } from 'node:crypto';
import type { Socket } from 'node:dgram';
import type net from 'node:net';
import { portOf } from './port-of.ts';
import { tcpAndUdp } from './tcp-and-udp.ts';

const TSIG = 250;
const TXT = 16;
const SOA = 6;

export interface UpdateServerOptions {
  readonly zone: string;
  readonly keyName: string;
  readonly hash: 'sha256' | 'sha512';
  readonly secret: Buffer;
}

interface Part {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly data: Buffer;
  readonly start: number;
  readonly end: number;
}

export class UpdateServer {
  readonly port: number;
  /** Name to its texts. */
  readonly records = new Map<string, Set<string>>();
  /** Of each message: how it came, and what was made of it. */
  readonly log: string[] = [];
  /** What is done to the next answers. */
  mischief: 'none' | 'cut' | 'wrong signature' | 'unsigned' | 'silent by UDP' = 'none';
  /** Code of the answer to updates. */
  code = 0;
  readonly #options: UpdateServerOptions;
  readonly #udp: Socket;
  readonly #tcp: net.Server;

  private constructor(tcp: net.Server, udp: Socket, options: UpdateServerOptions) {
    this.#options = options;
    this.#tcp = tcp;
    this.#udp = udp;
    this.port = portOf(tcp);
    udp.on('message', (message, from) => {
      if (this.mischief === 'silent by UDP') return;
      udp.send(this.#answer(message, 'udp'), from.port, from.address, () => {});
    });
    tcp.on('connection', (socket: net.Socket) => {
      let kept: Buffer = Buffer.alloc(0);
      socket.on('error', () => socket.destroy());
      socket.on('data', (part: Buffer) => {
        kept = Buffer.concat([kept, part]);
        if (kept.length < 2 || kept.length < 2 + kept.readUInt16BE(0)) return;
        const answer = this.#answer(kept.subarray(2), 'tcp');
        socket.end(Buffer.concat([u16(answer.length), answer]));
      });
    });
  }

  static async start(options: UpdateServerOptions): Promise<UpdateServer> {
    const { tcp, udp } = await tcpAndUdp();
    return new UpdateServer(tcp, udp, options);
  }

  close(): void {
    this.#udp.close();
    this.#tcp.close();
  }

  #answer(message: Buffer, by: 'udp' | 'tcp'): Buffer {
    const parts = partsOf(message);
    const [asked] = parts;
    if (asked === undefined) throw new Error('a message without a question came');
    if (by === 'udp' && this.mischief === 'cut') return answerOf(message, asked, 0x0200, []);
    const last = parts.at(-1);
    if (last?.type !== TSIG) return this.#plain(message, asked, by);
    const rest = last.data.subarray(nameAt(last.data, 0).end);
    const size = rest.readUInt16BE(8);
    const mac = rest.subarray(10, 10 + size);
    const time = rest.subarray(0, 8);
    const unsigned = Buffer.from(message.subarray(0, last.start));
    unsigned.writeUInt16BE(message.readUInt16BE(10) - 1, 10);
    const known = last.name === this.#options.keyName;
    const valid = known && mac.equals(this.#mac([unsigned, this.#variables(time, 0)]));
    if (!valid) {
      this.log.push(`${by} refused`);
      return this.#signed(answerOf(message, asked, 9, []), Buffer.alloc(0), time, known ? 16 : 17);
    }
    const isUpdate = (message.readUInt16BE(2) & 0x7800) === 0x2800;
    const code = isUpdate ? this.#update(asked, parts.slice(1, -1), by) : 0;
    const soa = isUpdate ? [] : [soaOf(this.#options.zone)];
    const answer = answerOf(message, asked, code, isUpdate || asked.type !== SOA ? [] : soa);
    if (this.mischief === 'unsigned') return answer;
    return this.#signed(answer, mac, time, 0);
  }

  #update({ name }: Part, changes: readonly Part[], by: string): number {
    if (name !== this.#options.zone) return 9;
    for (const one of changes) {
      const text = one.data.toString('latin1', 1);
      const texts = this.records.get(one.name) ?? new Set();
      if (one.class === 1) texts.add(text);
      else texts.delete(text);
      if (this.code === 0) this.records.set(one.name, texts);
      this.log.push(`${by} ${one.class === 1 ? 'add' : 'delete'} ${one.name} ${one.type}`);
    }
    return this.code;
  }

  #plain(message: Buffer, asked: Part, by: string): Buffer {
    const texts = asked.type === TXT ? [...(this.records.get(asked.name) ?? [])] : [];
    this.log.push(`${by} ask ${asked.name}`);
    const data = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
    return answerOf(
      message,
      asked,
      0,
      texts.map((text) =>
        Buffer.concat([
          Buffer.from('c00c00100001000000010000', 'hex').subarray(0, 10),
          u16(data(text).length),
          data(text),
        ]),
      ),
    );
  }

  #signed(answer: Buffer, requestMac: Buffer, time: Buffer, error: number): Buffer {
    const mac =
      error !== 0 ? Buffer.alloc(0) : this.#mac([u16(requestMac.length), requestMac, answer, this.#variables(time, 0)]);
    if (this.mischief === 'wrong signature') mac[0] = (mac[0] ?? 0) ^ 1;
    const data = Buffer.concat([
      this.#algorithm,
      time,
      u16(mac.length),
      mac,
      answer.subarray(0, 2),
      u16(error),
      u16(0),
    ]);
    const head = Buffer.concat([wire(this.#options.keyName), Buffer.from('00fa00ff00000000', 'hex'), u16(data.length)]);
    const signed = Buffer.concat([answer, head, data]);
    signed.writeUInt16BE(1, 10);
    return signed;
  }

  get #algorithm(): Buffer {
    return wire(`hmac-${this.#options.hash}`);
  }

  #variables(time: Buffer, error: number): Buffer {
    const head = Buffer.concat([wire(this.#options.keyName), Buffer.from('00ff00000000', 'hex')]);
    return Buffer.concat([head, this.#algorithm, time, u16(error), u16(0)]);
  }

  #mac(parts: readonly Buffer[]): Buffer {
    return createHmac(this.#options.hash, this.#options.secret).update(Buffer.concat(parts)).digest();
  }
}

/** The question, or zone, and every record behind it; none is compressed. */
function partsOf(message: Buffer): Part[] {
  const parts: Part[] = [];
  const counts = [4, 6, 8, 10].map((field) => message.readUInt16BE(field));
  let at = 12;
  for (const [section, count] of counts.entries()) {
    for (let left = count; left > 0; left -= 1) {
      const { name, end } = nameAt(message, at);
      const length = section === 0 ? -6 : message.readUInt16BE(end + 8);
      const next = end + 10 + length;
      const data = section === 0 ? Buffer.alloc(0) : message.subarray(end + 10, next);
      parts.push({
        name,
        type: message.readUInt16BE(end),
        class: message.readUInt16BE(end + 2),
        data,
        start: at,
        end: next,
      });
      at = next;
    }
  }
  return parts;
}

function answerOf(message: Buffer, asked: Part, code: number, answers: readonly Buffer[]): Buffer {
  const header = Buffer.from(message.subarray(0, 12));
  header.writeUInt16BE((message.readUInt16BE(2) & 0x7900) | 0x8400 | code, 2);
  header.writeUInt16BE(answers.length, 6);
  header.writeUInt16BE(0, 8);
  header.writeUInt16BE(0, 10);
  return Buffer.concat([header, message.subarray(12, asked.end), ...answers]);
}

function soaOf(zone: string): Buffer {
  const data = Buffer.concat([wire('ns.test'), wire('me.test'), Buffer.alloc(20)]);
  return Buffer.concat([wire(zone), Buffer.from('0006000100000001', 'hex'), u16(data.length), data]);
}

function nameAt(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.'), end: at + 1 };
}

function wire(name: string): Buffer {
  const labels = name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
  return Buffer.concat([...labels, Buffer.alloc(1)]);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
