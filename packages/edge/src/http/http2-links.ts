import type { EdgeContext, StreamPurpose } from '../context.ts';
import type { AgentUpstream } from '../control-link.ts';
import type { Exchange } from './exchange.ts';
export interface Http2Link {
  request(exchange: Exchange): void;
}
export class Http2Links {
  constructor(_edge: EdgeContext) {}
  find(_e: string, _u: AgentUpstream): Http2Link | null {
    return null;
  }
  open(_edge: EdgeContext, _e: string, _u: AgentUpstream, _p: StreamPurpose, _h: Buffer | null): Http2Link {
    throw new Error('no');
  }
  close(): void {}
}
