import { setTimeout } from 'node:timers/promises';
import type { TrafficEvent } from '@postern/link';
import { ConfigError } from '../config/config-error.ts';
import { flagOf } from '../config/options.ts';
import type { Logger } from '../log.ts';
import { messageOf } from '../problem.ts';
import { type Accessed, combinedLine, jsonLine, type LineFormat } from './lines.ts';
import { type LineTarget, openFile, standardOutput } from './target.ts';

export interface AccessLogSettings {
  /** A file, or '-' for standard output. */
  readonly place: string;
  readonly format: 'json' | 'combined';
}

/** Bytes that wait for a disk (or a reader of a pipe) which is slow: what comes beyond is dropped and counted. */
const MOST_WAITING = 4 * 1024 * 1024;
/** What is lost is said in the server's log so often. */
const SAY_EVERY_MS = 60_000;
/** At the stop, for what still waits. */
const CLOSE_MS = 2_000;

/**
 * One line for each finished request and connection of visitors. Nobody ever waits for it: lines are gathered while one
 * write is under way, and what the target does not take in time is lost, and said.
 */
export class AccessLog {
  readonly #settings: AccessLogSettings;
  readonly #line: LineFormat;
  readonly #log: Logger;
  readonly #now: () => number;
  #target: LineTarget;
  /** Files that somebody has renamed, until what is being written is there. */
  #retired: LineTarget[] = [];
  #waiting = '';
  #writing: Promise<void> | null = null;
  #dropped = 0;
  #saidDropped = 0;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(settings: AccessLogSettings, target: LineTarget, log: Logger, now: () => number) {
    this.#settings = settings;
    this.#line = settings.format === 'json' ? jsonLine : combinedLine;
    this.#target = target;
    this.#log = log;
    this.#now = now;
  }

  /** Lines that were lost since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  take(events: readonly TrafficEvent[]): void {
    for (const event of events) {
      if (!hasAccess(event)) continue;
      // All of it is ASCII: characters are bytes.
      if (this.#waiting.length >= MOST_WAITING) this.#lose(1, 'it is not written as fast as it comes');
      else this.#waiting += this.#line(event);
    }
    if (this.#waiting !== '') this.#writing ??= this.#writeAll();
  }

  /** Opens the file anew, which somebody has renamed (SIGHUP): lines from then on are in the new one. */
  async reopen(): Promise<void> {
    if (this.#settings.place === '-') return;
    try {
      const fresh = await targetOf(this.#settings);
      this.#retired.push(this.#target);
      this.#target = fresh;
      if (this.#writing === null) await this.#closeRetired();
    } catch (error) {
      this.#log.error(
        { file: this.#settings.place, reason: messageOf(error) },
        'the access log could not be opened again; lines go to the old file',
      );
    }
  }

  /** Gives what waits a moment to be written. */
  async close(): Promise<void> {
    const written = this.#writing ?? Promise.resolve();
    await Promise.race([written, setTimeout(CLOSE_MS, undefined, { ref: false })]);
    await Promise.race([this.#target.close(), setTimeout(CLOSE_MS, undefined, { ref: false })]);
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting !== '') {
      const lines = this.#waiting;
      this.#waiting = '';
      try {
        // oxlint-disable-next-line no-await-in-loop -- one write at a time keeps the lines in order
        await this.#target.write(Buffer.from(lines, 'latin1'));
      } catch (error) {
        this.#lose(countLines(lines), messageOf(error));
      }
      // oxlint-disable-next-line no-await-in-loop -- before the next write, which goes to the new one
      if (this.#retired.length > 0) await this.#closeRetired();
    }
    this.#writing = null;
  }

  async #closeRetired(): Promise<void> {
    // What could not be written has been told; that it cannot be closed either changes nothing.
    await Promise.allSettled(this.#retired.splice(0).map((target) => target.close()));
  }

  #lose(lines: number, reason: string): void {
    this.#dropped += lines;
    const now = this.#now();
    if (now - this.#saidAt < SAY_EVERY_MS) return;
    this.#log.warn({ lines: this.#dropped - this.#saidDropped, reason }, 'lines of the access log were lost');
    this.#saidAt = now;
    this.#saidDropped = this.#dropped;
  }
}

/** null where none is wanted. @throws ConfigError when the file cannot be written to */
export async function openAccessLog(settings: AccessLogSettings | null, log: Logger): Promise<AccessLog | null> {
  if (settings === null) return null;
  try {
    return new AccessLog(settings, await targetOf(settings), log, () => performance.now());
  } catch (error) {
    throw new ConfigError(flagOf('access_log'), settings.place, `cannot be written to: ${messageOf(error)}`);
  }
}

function targetOf({ place }: AccessLogSettings): Promise<LineTarget> {
  return place === '-' ? standardOutput() : openFile(place);
}

function hasAccess(event: TrafficEvent): event is Accessed {
  return event.access !== null;
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
