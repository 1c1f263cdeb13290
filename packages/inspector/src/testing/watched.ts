import type { WatchInfo } from '@postern/agent';
import { Recorder } from '../record/recorder.ts';
import { detailOf, messageViews, summaryOf } from '../view/exchange-view.ts';
import type { ExchangeDetail, ExchangeSummary, MessageView } from '../view/shapes.ts';
import { HttpWatch } from '../watch/http-watch.ts';

/** A recorder whose clock stands, and connections that it watches. */
export class Watched {
  time = 0;
  readonly recorder: Recorder;

  constructor(bound = 4 * 1024 * 1024) {
    this.recorder = new Recorder({
      bound,
      now: () => this.time,
      wall: () => Date.UTC(2026, 0, 1) + this.time,
      random: () => 0.5,
    });
  }

  connection(info: Partial<WatchInfo> = {}): HttpWatch {
    return new HttpWatch(
      { clientAddr: '192.0.2.1:1234', proto: 'https', behindProxyHeader: false, ...info },
      { recorder: this.recorder, tunnel: 'web' },
    );
  }

  /** Oldest first. */
  get summaries(): readonly ExchangeSummary[] {
    return this.recorder
      .newestFirst()
      .map((exchange) => summaryOf(this.recorder, exchange))
      .toReversed();
  }

  get details(): readonly ExchangeDetail[] {
    return this.recorder
      .newestFirst()
      .map((exchange) => detailOf(this.recorder, exchange))
      .toReversed();
  }

  get messages(): readonly MessageView[] {
    return this.recorder.newestFirst().flatMap((exchange) => messageViews(exchange, exchange.messages));
  }
}

/** Hands bytes over in pieces of `size`. */
export function inPieces(text: string | Buffer, size: number, take: (chunk: Buffer) => void): void {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  for (let at = 0; at < bytes.length; at += size) take(bytes.subarray(at, at + size));
}
