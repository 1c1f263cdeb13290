import type { ControlLink } from '@postern/link';
import type { EdgeConnection } from './connection.ts';

/** Whoever asks is told by the end of his session. */
const unanswered = new Promise<never>(() => {});

/**
 * What an edge may ask while control stops and the next server has the database already: agents' calls stay open, since
 * a refusal would end a listener for good; the end of a session changes nothing, since it is coming back there.
 */
export function untilStopped(connection: EdgeConnection, stopped: () => boolean): EdgeConnection {
  const { link } = connection;
  const guarded: ControlLink = {
    follow: (edge) => link.follow(edge),
    certificateFor: (serverName) => link.certificateFor(serverName),
    authenticate: (request, remoteAddr) => (stopped() ? unanswered : link.authenticate(request, remoteAddr)),
    bind: (sessionId, request) => (stopped() ? unanswered : link.bind(sessionId, request)),
    bindLabels: (sessionId, request) => (stopped() ? unanswered : link.bindLabels(sessionId, request)),
    unbind: (sessionId, id) => (stopped() ? Promise.resolve() : link.unbind(sessionId, id)),
    patchTunnel: (sessionId, request) => (stopped() ? unanswered : link.patchTunnel(sessionId, request)),
    sessionEnded: (sessionId, reason) => (stopped() ? Promise.resolve() : link.sessionEnded(sessionId, reason)),
    login: (event) => link.login(event),
    traffic: (events) => link.traffic(events),
  };
  return { link: guarded, gone: () => (stopped() ? Promise.resolve() : connection.gone()) };
}
