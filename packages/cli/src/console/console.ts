import process from 'node:process';
import { createLogUpdate } from 'log-update';
import type { TunnelLog } from '../tunnel-log.ts';
import { VERSION } from '../version.ts';
import { screen, type Rates, type RequestLine, type ScreenModel } from './screen.ts';

/** What the console asks while it draws. */
export interface ConsoleSource {
  readonly web: string;
  readonly latency: () => number | undefined;
  readonly connections: () => Rates;
  readonly requests: (count: number) => readonly RequestLine[];
  /** Calls when there is something new; returns what ends it. */
  readonly onNews: (listener: () => void) => () => void;
}

/** Of the server, once it has taken this agent. */
export interface ConsoleFacts {
  readonly server: string;
  readonly account: string;
  readonly region: string;
}

const REDRAW_MS = 100;
const TICK_MS = 1000;
const MOST_NOTES = 3;
const NOTE_BYTES = 500;
const NOTHING: Rates = { count: 0, gauge: 0, rate1: 0, rate5: 0, p50: 0, p90: 0 };

/**
 * The console of a terminal: one screen that is drawn again in place, a few times a second at most. It takes events as a
 * log does, so that whoever runs the agent need not know which of the two there is.
 */
export class Console implements TunnelLog {
  readonly #output: NodeJS.WriteStream;
  readonly #draw: (text: string) => void;
  readonly #done: () => void;
  readonly #persist: (text: string) => void;
  readonly #tick: NodeJS.Timeout;
  #state: ScreenModel['state'] = 'connecting';
  #reason = '';
  #facts: ConsoleFacts = { server: '', account: '', region: '' };
  #forwarding: { url: string; addr: string; name: string }[] = [];
  #notes: string[] = [];
  #source: ConsoleSource | undefined = undefined;
  #endNews: () => void = () => {};
  #pending: NodeJS.Timeout | undefined = undefined;
  #closed = false;

  constructor(output: NodeJS.WriteStream = process.stdout) {
    this.#output = output;
    const update = createLogUpdate(output, { showCursor: true });
    this.#draw = update;
    this.#done = () => update.done();
    this.#persist = (text) => update.persist(text);
    this.#tick = setInterval(() => this.#soon(), TICK_MS);
    this.#tick.unref();
    output.on('resize', this.#onResize);
    this.#redraw();
  }

  follow(source: ConsoleSource): void {
    this.#source = source;
    this.#endNews = source.onNews(() => this.#soon());
    this.#soon();
  }

  know(facts: ConsoleFacts): void {
    this.#facts = facts;
    this.#state = 'online';
    this.#reason = '';
    this.#soon();
  }

  debug(): void {}

  info(fields: object, message: string): void {
    const name = 'name' in fields && message === 'stopped tunnel' ? fields.name : undefined;
    if (name === undefined) return;
    this.#forwarding = this.#forwarding.filter((one) => one.name !== name);
    this.#soon();
  }

  warn(fields: object, message: string): void {
    const details = Object.entries<unknown>({ ...fields })
      .filter(([key]) => key !== 'obj')
      .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
    this.#note(details.length === 0 ? message : `${message} (${details.join(' ')})`);
  }

  online(url: string, upstream: string, name: string): void {
    this.#forwarding.push({ url, addr: upstream, name });
    this.#soon();
  }

  offline(reason: string, retryMs: number): void {
    this.#state = this.#facts.server === '' ? 'connecting' : 'reconnecting';
    this.#reason = `${reason}; again in ${Math.max(0.1, retryMs / 1000).toFixed(1)} s`;
    this.#soon();
  }

  recovered(): void {
    this.#state = 'online';
    this.#reason = '';
    this.#soon();
  }

  /** Above the screen, for good. */
  keep(text: string): void {
    this.#persist(text);
    this.#redraw();
  }

  /** Behind the last screen, which stays. */
  fatal(message: string, code: string): void {
    this.close();
    const lines = [...message.split('\n'), ...(code === '' ? [] : ['', code])];
    for (const text of lines) process.stderr.write(`${`ERROR:  ${text}`.trimEnd()}\n`);
  }

  close(): void {
    if (this.#closed) return;
    this.#redraw();
    this.#closed = true;
    clearInterval(this.#tick);
    clearTimeout(this.#pending);
    this.#endNews();
    this.#output.off('resize', this.#onResize);
    this.#done();
  }

  #note(text: string): void {
    const note = text.slice(0, NOTE_BYTES);
    if (this.#notes.at(-1) === note) return;
    this.#notes = [...this.#notes, note].slice(-MOST_NOTES);
    this.#soon();
  }

  readonly #onResize = (): void => this.#soon();

  #soon(): void {
    if (this.#closed) return;
    this.#pending ??= setTimeout(() => {
      this.#pending = undefined;
      this.#redraw();
    }, REDRAW_MS).unref();
  }

  #redraw(): void {
    if (this.#closed) return;
    const { columns, rows } = this.#output;
    const source = this.#source;
    const model: ScreenModel = {
      ...this.#facts,
      state: this.#state,
      reason: this.#reason,
      version: VERSION,
      latency: source?.latency(),
      web: source === undefined || source.web === '' ? '' : `http://${source.web}`,
      forwarding: this.#forwarding,
      notes: this.#notes,
      connections: source?.connections() ?? NOTHING,
      requests: source?.requests(rows) ?? [],
    };
    this.#draw(screen(model, columns, rows, this.#output.hasColors()));
  }
}
