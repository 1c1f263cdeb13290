import type { PhaseRun, PolicyContext, ResponseView } from '@postern/policy';
import type { LiveEndpoint } from '../../context.ts';

/** A policy's context, to which the answer is added when there is one. */
export interface FrameContext extends PolicyContext {
  res: ResponseView | null;
}

/** The policy of one endpoint in one exchange: the visitor's, and one more for each forward. */
export interface Frame {
  readonly live: LiveEndpoint;
  readonly context: FrameContext;
  /** The request phase, as long as it can go on (a forward that fails may continue it). */
  run: PhaseRun | null;
  /** What a failed forward does; null = this endpoint has not forwarded. */
  onForwardError: 'halt' | 'continue' | null;
}
