import type { ServerResponse } from 'node:http';
import type { Recorder } from '../record/recorder.ts';
import type { News } from '../view/shapes.ts';

/** How long news is gathered: traffic must not pay for every reader by the request. */
const GATHER_MS = 150;
const MOST_IDS = 200;
/** Open at once; each is a connection. */
const MOST_READERS = 16;
/** A line now and then, so that a reader that vanished is noticed. */
const KEEP_ALIVE_MS = 15_000;

/** Tells pages that something is new, as an event stream. With nobody reading nothing is gathered. */
export class NewsStream {
  readonly #recorder: Recorder;
  readonly #readers = new Set<ServerResponse>();
  readonly #changed = new Set<number>();
  readonly #messages = new Set<number>();
  #overflow = false;
  #timer: NodeJS.Timeout | undefined = undefined;
  #keepAlive: NodeJS.Timeout | undefined = undefined;
  #stop: (() => void) | undefined = undefined;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  open(response: ServerResponse): void {
    if (this.#readers.size >= MOST_READERS) {
      response.writeHead(503, { 'content-type': 'text/plain' }).end('too many pages are open\n');
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write('retry: 1000\n\n');
    this.#readers.add(response);
    this.#stop ??= this.#recorder.listen({
      onExchange: ({ number }) => this.#gather(this.#changed, number),
      onMessage: ({ exchange }) => this.#gather(this.#messages, exchange.number),
      onClear: () => this.#flood(),
    });
    this.#keepAlive ??= setInterval(() => this.#send(': still here\n\n'), KEEP_ALIVE_MS);
    response.once('close', () => {
      this.#readers.delete(response);
      if (this.#readers.size === 0) this.#rest();
    });
  }

  close(): void {
    for (const reader of this.#readers) reader.destroy();
    this.#rest();
  }

  #rest(): void {
    this.#stop?.();
    this.#stop = undefined;
    clearTimeout(this.#timer);
    clearInterval(this.#keepAlive);
    this.#timer = undefined;
    this.#keepAlive = undefined;
    this.#changed.clear();
    this.#messages.clear();
  }

  #gather(into: Set<number>, number: number): void {
    if (into.size >= MOST_IDS) this.#overflow = true;
    else into.add(number);
    this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS);
  }

  #flood(): void {
    this.#overflow = true;
    this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS);
  }

  #flush(): void {
    this.#timer = undefined;
    const { ids } = this.#recorder;
    const news: News = {
      changed: this.#overflow ? null : Array.from(this.#changed, (number) => ids.idOf(number)),
      messages: Array.from(this.#messages, (number) => ids.idOf(number)),
    };
    this.#overflow = false;
    this.#changed.clear();
    this.#messages.clear();
    this.#send(`data: ${JSON.stringify(news)}\n\n`);
  }

  /** A reader that does not read misses lines; it asks for everything when it comes back. */
  #send(text: string): void {
    for (const reader of this.#readers) {
      if (reader.writableLength > 65_536) reader.destroy();
      else reader.write(text);
    }
  }
}
