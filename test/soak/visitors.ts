/** Visitors of every kind, who check each byte of what they get and tell the ledger. */
import http from 'node:http';
import type http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import type { Dice } from '@postern/edge/testing/dice';
import { type Platform, splitAddress } from '../support/platform.ts';
import { connectHttp2, requestHttp2 } from '../support/visit-http2.ts';
import { type Asked, bodyOf, type Ledger } from './ledger.ts';

export interface Door {
  /** Name in the ledger. */
  readonly endpoint: string;
  readonly url: string;
}

export interface ServerView {
  readonly platform: () => Platform;
  /** How many servers there have been; grows when one is killed. */
  readonly lives: () => number;
}

export type Protocol = 'http/1.1' | 'https' | 'h2' | 'tcp';

const DEADLINE_MS = 20_000;
/** Kept connections are given up after this many requests, so that new ones are part of the load. */
const REQUESTS_PER_CONNECTION = 40;

interface Answer {
  readonly status: number;
  readonly nonce: string;
  readonly upstream: string;
  readonly bytes: Buffer;
}

/** One visitor, who does one thing after the other over connections of its own. */
export class Visitor {
  readonly answered = new Map<Protocol, number>();
  readonly #server: ServerView;
  readonly #ledger: Ledger;
  readonly #dice: Dice;
  readonly #nextNonce: () => string;
  readonly #doors: readonly [Door, ...Door[]];
  #agents: { readonly http: http.Agent; readonly https: https.Agent };
  readonly #sessions = new Map<string, http2.ClientHttp2Session>();
  #left = REQUESTS_PER_CONNECTION;

  constructor(parts: {
    readonly server: ServerView;
    readonly ledger: Ledger;
    readonly dice: Dice;
    readonly nextNonce: () => string;
    readonly doors: readonly [Door, ...Door[]];
  }) {
    this.#server = parts.server;
    this.#ledger = parts.ledger;
    this.#dice = parts.dice;
    this.#nextNonce = parts.nextNonce;
    this.#doors = parts.doors;
    this.#agents = newAgents();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const reached = await this.#once();
      // Nobody knocks forty times a second where nobody is.
      const pause = reached ? 10 : 150;
      await new Promise((resolve) => setTimeout(resolve, pause + this.#dice.below(30)));
    }
    this.#forgetConnections();
  }

  /** @returns whether there was an answer of any kind */
  async #once(): Promise<boolean> {
    const dice = this.#dice;
    const door = dice.pick(this.#doors);
    const protocol = this.#protocolFor(door);
    const post = protocol !== 'tcp' && dice.once(2);
    const asked: Asked = {
      endpoint: door.endpoint,
      method: protocol === 'tcp' ? 'TCP' : post ? 'POST' : 'GET',
      // A POST without a body is the easiest to repeat by mistake.
      sends: post && !dice.once(4) ? this.#size() : 0,
      wants: this.#size(),
    };
    const nonce = this.#nextNonce();
    this.#ledger.ask(nonce, asked);
    let reached = true;
    try {
      const answer = await (protocol === 'tcp' ? this.#tcp(door, nonce) : this.#http(protocol, door, nonce, asked));
      if (answer.status === 200) {
        this.answered.set(protocol, (this.answered.get(protocol) ?? 0) + 1);
        this.#ledger.answered(nonce, answer);
      } else {
        const code = /ERR_NGROK_\d+/.exec(answer.bytes.toString('latin1'))?.[0] ?? '';
        this.#ledger.settle(nonce, `${answer.status} ${code}`.trim());
      }
    } catch (error) {
      reached = false;
      this.#ledger.settle(nonce, error instanceof Late ? 'no answer in time' : 'connection lost');
    }
    this.#left -= 1;
    if (this.#left <= 0) {
      this.#left = REQUESTS_PER_CONNECTION;
      this.#forgetConnections();
    }
    return reached;
  }

  #protocolFor({ url }: Door): Protocol {
    if (url.startsWith('tcp:')) return 'tcp';
    if (url.startsWith('http:')) return 'http/1.1';
    return this.#dice.once(2) ? 'h2' : 'https';
  }

  /** Mostly small; sometimes large enough to be on its way for a while. */
  #size(): number {
    if (this.#dice.once(20)) return 100_000 + this.#dice.below(900_000);
    return this.#dice.below(this.#dice.once(3) ? 60_000 : 2000);
  }

  async #http(protocol: Protocol, door: Door, nonce: string, asked: Asked): Promise<Answer> {
    const body = bodyOf(nonce, asked.sends);
    const headers = {
      'x-nonce': nonce,
      ...(asked.method === 'POST' && nonce.endsWith('1') && protocol !== 'h2'
        ? { 'transfer-encoding': 'chunked' }
        : {}),
    };
    if (protocol === 'h2') return this.#http2(door, asked, headers, body);
    const platform = this.#server.platform();
    const secure = protocol === 'https';
    const target = new URL(door.url);
    const [host, port] = splitAddress(secure ? platform.runtime.https_addr : platform.runtime.http_addr);
    return inTime((resolve, reject) => {
      const request = (secure ? https : http).request(
        {
          host,
          port,
          method: asked.method,
          path: '/soak',
          headers: { host: target.host, ...headers },
          agent: secure ? this.#agents.https : this.#agents.http,
          ...(secure ? { servername: target.hostname, ca: platform.ca } : {}),
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            if (!response.complete) return reject(new Error('cut'));
            resolve(answerOf(response.statusCode ?? 0, response.headers, Buffer.concat(chunks)));
          });
        },
      );
      request.on('error', reject);
      request.end(body);
      return () => request.destroy();
    });
  }

  #http2(door: Door, asked: Asked, headers: Record<string, string>, body: Buffer): Promise<Answer> {
    let session = this.#sessions.get(door.url);
    if (session === undefined || session.closed || session.destroyed) {
      session = connectHttp2(this.#server.platform(), door.url);
      this.#sessions.set(door.url, session);
    }
    const used = session;
    return inTime((resolve, reject) => {
      requestHttp2(used, '/soak', { method: asked.method, headers, body }).then(
        (visit) => resolve(answerOf(visit.status, visit.headers, visit.bytes)),
        reject,
      );
      return () => used.destroy();
    });
  }

  #tcp({ url }: Door, nonce: string): Promise<Answer> {
    const life = this.#server.lives();
    return inTime((resolve, reject) => {
      const socket = net.connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('closed')));
      socket.on('end', () => {
        socket.end();
        const all = Buffer.concat(chunks);
        const line = all.indexOf('\n');
        // An end before anything came is how a byte stream says that nobody is there.
        if (line < 0) return reject(new Error('nothing came'));
        // Of a killed server the kernel makes a clean end; nobody can help that.
        if (this.#server.lives() !== life) return reject(new Error('the server was killed'));
        resolve({ status: 200, nonce, upstream: all.toString('latin1', 0, line), bytes: all.subarray(line + 1) });
      });
      socket.write(`${nonce}\n`);
      return () => socket.destroy();
    });
  }

  #forgetConnections(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
    this.#agents = newAgents();
    for (const session of this.#sessions.values()) session.destroy();
    this.#sessions.clear();
  }
}

class Late extends Error {}

/** `begin` returns what ends the attempt. */
function inTime(
  begin: (resolve: (answer: Answer) => void, reject: (error: Error) => void) => () => void,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Late());
      end();
    }, DEADLINE_MS);
    const end = begin(
      (answer) => {
        clearTimeout(timer);
        resolve(answer);
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

function answerOf(status: number, headers: http.IncomingHttpHeaders, bytes: Buffer): Answer {
  return { status, nonce: String(headers['x-nonce']), upstream: String(headers['x-upstream']), bytes };
}

function newAgents(): { http: http.Agent; https: https.Agent } {
  return {
    http: new http.Agent({ keepAlive: true, maxSockets: 4 }),
    https: new https.Agent({ keepAlive: true, maxSockets: 4 }),
  };
}
