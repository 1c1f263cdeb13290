/**
 * Bodies pass filters on their way, in either direction. One contract for those of actions (find and replace) and those
 * of whoever runs policies (encoding, collecting): bytes go by direct calls, and whoever is full says so.
 */

/** Where bytes of a body go on to. */
export interface BodySink {
  /**
   * Bytes `chunk[start..end)`: valid during the call, and to be copied by who keeps them.
   * @returns false when whoever writes should wait until it is told to go on
   */
  body(chunk: Buffer, start: number, end: number): boolean;
  /** The body is complete. */
  end(): void;
}

export interface BodyFilter extends BodySink {
  /** What is behind it takes more again. */
  resume(): void;
  /** The message is cut, or not wanted any more: nothing is written any more, by either side. */
  destroy(): void;
}

/** What a filter writes to and tells. */
export interface FilterOutput extends BodySink {
  /** The filter takes more, after its `body` answered false. */
  drained(): void;
  /** It cannot go on: the message is cut, so that nobody takes it for complete. */
  failed(error: unknown): void;
}

export interface FilterMaker {
  /** As many bytes come out as go in. */
  readonly keepsLength: boolean;
  /**
   * Called when the body begins; each body has its own.
   * @param live its length is unknown: what has come should go on at once, as somebody may wait for it
   */
  make(output: FilterOutput, live: boolean): BodyFilter;
}
