import type { EdgeContext, VisitorConnection } from '../context.ts';
import type { HttpConnections } from './connections.ts';
import type { Pipeline } from './pipeline.ts';
export class Http2Visitor {
  constructor(_e: EdgeContext, _g: HttpConnections, _p: Pipeline, c: VisitorConnection) {
    c.socket.destroy();
  }
}
