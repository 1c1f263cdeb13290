import { Blocks, countOf, noPieces, type Pieces } from './blocks.ts';
import { type Capture, type Exchange, Ids, type Message } from './exchange.ts';

/** Of one message as it is on the wire. */
const MOST_OF_MESSAGE = 256 * 1024;
/** Of one frame or event. */
const MOST_OF_FRAME = 16 * 1024;
/** What an exchange or a frame costs beside its bytes, generously. */
const RECORD_BYTES = 1_024;
/** Of the bound, what is for bytes and for records; the rest is for what the runtime needs to turn them over. */
const SHARE_OF_BYTES = 0.6;
const SHARE_OF_RECORDS = 0.25;

/** Most exchanges have none; they share this one, which stays empty. */
const NO_MESSAGES: Message[] = [];

export interface RecorderOptions {
  /** Bytes for everything that is kept. */
  readonly bound: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Unix milliseconds. */
  readonly wall: () => number;
  /** In [0, 1). */
  readonly random: () => number;
}

export interface RecorderListener {
  /** Something of it is new. */
  onExchange?(exchange: Exchange): void;
  onMessage?(message: Message): void;
  onClear?(): void;
}

/** Numbers that are of any kind begin as such, so that their place in the object is one for any. */
function blank(): Exchange {
  return {
    number: 0,
    tunnel: '',
    clientAddr: '',
    startedAt: 0.5,
    since: 0.5,
    request: { pieces: noPieces(), wireBytes: 0, keptBytes: 0 },
    response: { pieces: noPieces(), wireBytes: 0, keptBytes: 0 },
    listed: false,
    requestEnd: -1.5,
    firstByte: -1.5,
    end: -1.5,
    status: 0,
    outcome: 'open',
    replayOf: 0,
    messages: NO_MESSAGES,
    messageCount: 0,
    evicted: false,
    pinned: 0,
  };
}

/** As `blank` makes it, but for what `begin` sets. */
function wipe(exchange: Exchange): void {
  for (const side of [exchange.request, exchange.response]) {
    side.wireBytes = 0;
    side.keptBytes = 0;
  }
  exchange.listed = false;
  exchange.requestEnd = -1.5;
  exchange.firstByte = -1.5;
  exchange.end = -1.5;
  exchange.status = 0;
  exchange.outcome = 'open';
  exchange.messages = NO_MESSAGES;
  exchange.messageCount = 0;
  exchange.pinned = 0;
}

/** What has passed lately, within a bound: what is oldest makes room. */
export class Recorder {
  readonly ids: Ids;
  readonly #options: RecorderOptions;
  readonly #blocks: Blocks;
  readonly #mostRecords: number;
  readonly #mostOfMessage: number;
  /** Exchanges and messages, oldest first, from `#first` on. */
  #records: (Exchange | Message)[] = [];
  #first = 0;
  /** By the last bits of their numbers; twice as many places as there can be records. */
  readonly #places: (Exchange | undefined)[];
  #numbers = 0;
  /** Records that are over and made room: used again, so that nothing grows old only to be thrown away. */
  readonly #spare: Exchange[] = [];
  /** Pieces of exchanges that were kept over their turn. */
  #pinned = 0;
  readonly #listeners = new Set<RecorderListener>();

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.ids = new Ids(options.random);
    this.#blocks = new Blocks(options.bound * SHARE_OF_BYTES, () => this.#evictOldest());
    this.#mostRecords = Math.max(16, Math.floor((options.bound * SHARE_OF_RECORDS) / RECORD_BYTES));
    this.#places = Array.from<undefined>({ length: 2 ** Math.ceil(Math.log2(this.#mostRecords * 2)) });
    this.#mostOfMessage = Math.min(MOST_OF_MESSAGE, Math.floor(options.bound / 16));
  }

  listen(listener: RecorderListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The first byte of a request has come. */
  begin(tunnel: string, clientAddr: string, replayOf: number): Exchange {
    // One that was kept over its turn may have the place of this number.
    do this.#numbers += 1;
    while (this.#at(this.#numbers) !== undefined);
    const exchange = this.#spare.pop() ?? blank();
    exchange.number = this.#numbers;
    exchange.tunnel = tunnel;
    exchange.clientAddr = clientAddr;
    exchange.startedAt = this.#options.wall();
    exchange.since = this.#options.now();
    exchange.replayOf = replayOf;
    exchange.evicted = false;
    this.#places[exchange.number & (this.#places.length - 1)] = exchange;
    this.#add(exchange);
    return exchange;
  }

  /** Milliseconds since it began. */
  age(exchange: Exchange): number {
    return this.#options.now() - exchange.since;
  }

  /** Keeps what fits of bytes that passed. */
  keep(exchange: Exchange, capture: Capture, chunk: Buffer, start: number, end: number): void {
    capture.wireBytes += end - start;
    if (exchange.evicted) return;
    const room = this.#mostOfMessage - capture.keptBytes;
    if (room <= 0) return;
    const stop = Math.min(end, start + room);
    capture.keptBytes += stop - start;
    this.#put(capture.pieces, exchange, chunk, start, stop);
  }

  message(
    exchange: Exchange,
    message: Omit<Message, 'exchange' | 'number' | 'at' | 'evicted' | 'pieces' | 'bytes' | 'keptBytes'>,
  ): Message | undefined {
    exchange.messageCount += 1;
    if (exchange.evicted) return undefined;
    const made: Message = {
      ...message,
      exchange,
      number: exchange.messageCount,
      at: this.age(exchange),
      bytes: 0,
      keptBytes: 0,
      pieces: noPieces(),
      evicted: false,
    };
    if (exchange.messages === NO_MESSAGES) exchange.messages = [];
    exchange.messages.push(made);
    this.#add(made);
    return made;
  }

  /** How much more of it would be kept. */
  roomOf(message: Message): number {
    return message.evicted ? 0 : MOST_OF_FRAME - message.keptBytes;
  }

  keepOfMessage(message: Message, chunk: Buffer, start: number, end: number): void {
    message.bytes += end - start;
    const room = this.roomOf(message);
    if (room <= 0) return;
    const stop = Math.min(end, start + room);
    message.keptBytes += stop - start;
    this.#put(message.pieces, message, chunk, start, stop);
  }

  changed(exchange: Exchange): void {
    for (const listener of this.#listeners) listener.onExchange?.(exchange);
  }

  messageDone(message: Message): void {
    for (const listener of this.#listeners) listener.onMessage?.(message);
  }

  find(id: string): Exchange | undefined {
    return this.numbered(this.ids.numberOf(id));
  }

  /** undefined when it has made room. */
  numbered(number: number): Exchange | undefined {
    const exchange = this.#at(number);
    return exchange?.number === number && exchange.listed ? exchange : undefined;
  }

  /** Newest first, as it is now: for use before anything else passes. */
  newestFirst(): readonly Exchange[] {
    const listed = this.#places.flatMap((exchange) => (exchange?.listed === true ? [exchange] : []));
    return listed.toSorted((left, right) => right.number - left.number);
  }

  clear(): void {
    for (let at = this.#first; at < this.#records.length; at++) this.#drop(this.#records[at]);
    this.#records = [];
    this.#first = 0;
    for (const listener of this.#listeners) listener.onClear?.();
  }

  #at(number: number): Exchange | undefined {
    return this.#places[number & (this.#places.length - 1)];
  }

  #put(pieces: Pieces, record: Exchange | Message, chunk: Buffer, start: number, end: number): void {
    this.#blocks.append(pieces, chunk, start, end);
    // It gave itself up to make room.
    if (record.evicted) this.#blocks.release(pieces);
  }

  #add(record: Exchange | Message): void {
    if (this.#records.length - this.#first >= this.#mostRecords) this.#evictOldest();
    this.#records.push(record);
  }

  #evictOldest(): boolean {
    // Whoever is kept over a turn is met again at the end of this one.
    for (let left = this.#records.length - this.#first; left > 0; left--) {
      const record = this.#records[this.#first];
      this.#first += 1;
      if (this.#first > 1_024 && this.#first * 2 > this.#records.length) {
        this.#records = this.#records.slice(this.#first);
        this.#first = 0;
      }
      if (record === undefined || record.evicted) continue;
      if ('listed' in record && this.#pin(record)) {
        this.#records.push(record);
        continue;
      }
      this.#drop(record);
      return true;
    }
    const last = this.#records[this.#first];
    this.#drop(last);
    return last !== undefined;
  }

  /** A WebSocket that is open all day stays, as long as it takes little. */
  #pin(exchange: Exchange): boolean {
    if (exchange.outcome !== 'open') return false;
    if (exchange.pinned > 0) return true;
    const pieces = countOf(exchange.request.pieces) + countOf(exchange.response.pieces);
    if (pieces === 0 || this.#pinned + pieces > this.#blocks.most / 4) return false;
    this.#pinned += pieces;
    exchange.pinned = pieces;
    return true;
  }

  #drop(record: Exchange | Message | undefined): void {
    if (record === undefined || record.evicted) return;
    record.evicted = true;
    if (!('listed' in record)) {
      this.#blocks.release(record.pieces);
      const { messages } = record.exchange;
      if (messages[0] === record) messages.shift();
      return;
    }
    this.#pinned -= record.pinned;
    this.#blocks.release(record.request.pieces);
    this.#blocks.release(record.response.pieces);
    this.#places[record.number & (this.#places.length - 1)] = undefined;
    // One that is not over is still somebody's.
    if (record.end < 0) return;
    wipe(record);
    this.#spare.push(record);
  }
}
