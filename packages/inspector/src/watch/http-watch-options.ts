import type { Exchange } from '../record/exchange.ts';
import type { Recorder } from '../record/recorder.ts';

export interface HttpWatchOptions {
  readonly recorder: Recorder;
  readonly tunnel: string;
  readonly replayOf?: number;
  /** An exchange is over; `milliseconds` from its first byte to its last. */
  readonly onDone?: (exchange: Exchange, milliseconds: number) => void;
}
