/** The HTTP half of the edge: takes visitor connections over and answers their requests. */
import type { EdgeContext, HttpService } from '../context.ts';
import { HttpConnections } from './server/open-connections.ts';
import { Http1Connection } from './server/http1-connection.ts';
import { Http2Connection } from './server/http2-connection.ts';
import { Pipeline } from './stages/pipeline.ts';

export function createHttpService(context: EdgeContext): HttpService {
  const connections = new HttpConnections();
  const pipeline = new Pipeline(context, connections.kept);
  context.agents.onPressure({
    idle: (sessionId) => connections.kept.evict(sessionId),
    slow: (sessionId, beyondShare) =>
      pipeline.endSlowest(sessionId) || connections.pipes.reclaim(sessionId, beyondShare),
  });
  context.agents.onGone((sessionId, tunnelId) => connections.kept.forgetGone(sessionId, tunnelId));
  return {
    serveHttp1(connection, head) {
      const visitor = new Http1Connection(context, connections, pipeline, connection);
      connections.add(visitor);
      visitor.start(head);
      if (connections.draining) visitor.drain();
    },
    serveMoved(connection) {
      const visitor = new Http1Connection(context, connections, pipeline, connection);
      connections.add(visitor);
      visitor.start(null, true);
      if (connections.draining) visitor.drain();
    },
    async serveHttp2(connection) {
      if (!(await Http2Connection.announce(context, connection))) return;
      const visitor = new Http2Connection(context, connections, pipeline, connection);
      connections.add(visitor);
      visitor.start();
      if (connections.draining) visitor.drain();
    },
    drain: () => connections.drain(),
    destroy: () => connections.destroy(),
  };
}
