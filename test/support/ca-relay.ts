/**
 * Stands between a server and a certificate authority, reads what is asked, and stops where a test wants it: a request is
 * held before the authority sees it, or its answer is held after the authority has acted. Whoever waits for either can be
 * killed exactly there.
 */
import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import https from 'node:https';
import type http from 'node:http';
import type { Pebble } from './pebble.ts';
import { portOf } from './port-of.ts';

/** What a client of RFC 8555 asks, by the paths that Pebble gives. */
export type Step =
  | 'directory'
  | 'nonce'
  | 'account'
  | 'order'
  | 'look'
  | 'authorization'
  | 'challenge'
  | 'finalize'
  | 'download'
  | 'wish';

const STEPS: readonly (readonly [prefix: string, step: Step])[] = [
  ['/dir', 'directory'],
  ['/nonce-plz', 'nonce'],
  ['/sign-me-up', 'account'],
  ['/order-plz', 'order'],
  ['/my-order/', 'look'],
  ['/authZ/', 'authorization'],
  ['/chalZ/', 'challenge'],
  ['/finalize-order/', 'finalize'],
  ['/certZ/', 'download'],
  ['/draft-ietf-acme-ari', 'wish'],
];

export interface Place {
  readonly step: Step;
  /** Of this step since the place was set, from 1. */
  readonly nth: number;
  /** Whether the authority has acted by then. */
  readonly side: 'before' | 'after';
}

interface Waiting {
  readonly place: Place;
  readonly reached: () => void;
  /** Whether whoever waits goes on. */
  readonly over: PromiseWithResolvers<boolean>;
  seen: number;
}

export class CaRelay {
  readonly directory: string;
  /** What it has made: accounts and orders that were not there before. */
  readonly made = { account: 0, order: 0 };
  /** How often it has said when to renew. */
  wishes = 0;
  readonly #server: https.Server;
  readonly #authority: URL;
  readonly #ca: string;
  /** Of challenges that the authority has offered. */
  readonly tokens = new Set<string>();
  #waiting: Waiting | null = null;

  private constructor(server: https.Server, authority: URL, ca: string) {
    this.#server = server;
    this.#authority = authority;
    this.#ca = ca;
    this.directory = `https://localhost:${portOf(server)}${authority.pathname}`;
    // An authority that ends with a question open ends nothing else than who has asked.
    server.on('request', (request, response) => void this.#serve(request, response).catch(() => response.destroy()));
  }

  /** With the certificate of Pebble's own listener, so that its flags fit. */
  static async start(pebble: Pebble): Promise<CaRelay> {
    const cert = await readFile(pebble.rootFile, 'utf8');
    const key = await readFile(pebble.rootFile.replace(/pem$/, 'key'), 'utf8');
    const server = https.createServer({ cert, key }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new CaRelay(server, new URL(pebble.directory), cert);
  }

  /** @returns what resolves when somebody waits at the place; whoever comes there from then on waits until {@link release} or {@link drop} */
  hold(place: Place): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = { place, reached: resolve, over: Promise.withResolvers(), seen: 0 };
    });
  }

  /** Those who wait go on, and others pass. */
  release(): void {
    this.#end(true);
  }

  /** Those who wait are gone, having been killed, and others pass. */
  drop(): void {
    this.#end(false);
  }

  async stop(): Promise<void> {
    this.drop();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const step = stepOf(request.url ?? '');
    const held = step === null ? null : this.#holds(step);
    if (held?.place.side === 'before' && !(await this.#wait(held))) return void response.destroy();
    const answer = await this.#ask(request);
    if (answer.status === 201 && (step === 'account' || step === 'order')) this.made[step] += 1;
    if (step === 'authorization') this.#note(answer.body);
    if (held?.place.side === 'after' && !(await this.#wait(held))) return void response.destroy();
    response.writeHead(answer.status, answer.headers).end(answer.body);
    if (step === 'wish' && answer.status === 200) this.wishes += 1;
  }

  #holds(step: Step): Waiting | null {
    const waiting = this.#waiting;
    if (waiting === null || waiting.place.step !== step) return null;
    waiting.seen += 1;
    return waiting.seen >= waiting.place.nth ? waiting : null;
  }

  #end(goOn: boolean): void {
    this.#waiting?.over.resolve(goOn);
    this.#waiting = null;
  }

  #wait(waiting: Waiting): Promise<boolean> {
    waiting.reached();
    return waiting.over.promise;
  }

  #note(body: Buffer): void {
    const { challenges = [] }: { challenges?: { token: string }[] } = JSON.parse(body.toString());
    for (const { token } of challenges) this.tokens.add(token);
  }

  /** With the Host that the client named: the authority makes its URLs of it. */
  async #ask(
    request: http.IncomingMessage,
  ): Promise<{ status: number; headers: http.OutgoingHttpHeaders; body: Buffer }> {
    const { hostname, port } = this.#authority;
    const { method, url: path, headers } = request;
    const sent = https.request({ hostname, port, path, method, headers, ca: this.#ca, agent: false });
    request.pipe(sent);
    const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
      sent.on('response', resolve);
      sent.on('error', reject);
    });
    const body = Buffer.concat(await answer.toArray());
    return { status: answer.statusCode ?? 0, headers: answer.headers, body };
  }
}

function stepOf(target: string): Step | null {
  return STEPS.find(([prefix]) => target.startsWith(prefix))?.[1] ?? null;
}
