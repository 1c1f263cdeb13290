/** The HTTP half of the edge: takes visitor connections over and answers their requests. */
import type { EdgeContext, HttpService } from '../context.ts';
import { HttpConnections } from './connections.ts';
import { Http1Visitor } from './http1-visitor.ts';
import { Http2Visitor } from './http2-visitor.ts';
import { Pipeline } from './pipeline.ts';

export function createHttpService(context: EdgeContext): HttpService {
  const connections = new HttpConnections();
  const pipeline = new Pipeline(context, connections.kept);
  context.agents.onPressure({
    idle: (sessionId) => connections.kept.evict(sessionId),
    slow: (sessionId, beyondShare) =>
      pipeline.endSlowest(sessionId) || connections.pipes.reclaim(sessionId, beyondShare),
  });
  context.agents.onSessionGone((sessionId) => connections.kept.forgetSession(sessionId));
  return {
    serveHttp1(connection, head) {
      const visitor = new Http1Visitor(context, connections, pipeline, connection);
      connections.add(visitor);
      visitor.start(head);
      if (connections.draining) visitor.drain();
    },
    async serveHttp2(connection) {
      if (!(await Http2Visitor.announce(context, connection))) return;
      const visitor = new Http2Visitor(context, connections, pipeline, connection);
      connections.add(visitor);
      visitor.start();
      if (connections.draining) visitor.drain();
    },
    drain: () => connections.drain(),
    destroy: () => connections.destroy(),
  };
}
