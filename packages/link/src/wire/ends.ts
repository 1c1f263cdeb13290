/** The two interfaces of the link over a channel, one function for each side. */
import type { AuthRequest, BindRequest, LabelBindRequest, PatchTunnelRequest } from '@postern/protocol';
import type { ControlLink, EdgePort } from '../link.ts';
import type { LoginEvent } from '../login.ts';
import type { AgentCommand } from '../session.ts';
import type { NodeSettings } from '../settings.ts';
import type { TrafficEvent } from '../traffic.ts';
import type { ResourceUpdate, RouteUpdate } from '../update.ts';
import type { Channel } from './channel.ts';
import { Peer } from './peer.ts';

/** Control's side: answers an edge at the other end of `channel` with `link`. */
export function serveControl(channel: Channel, link: ControlLink, onClosed: () => void = () => {}): { close(): void } {
  const peer: Peer = new Peer(
    channel,
    {
      follow: () => link.follow(remoteEdge(peer)),
      certificateFor: (serverName: string) => link.certificateFor(serverName),
      authenticate: (request: AuthRequest, remoteAddr: string) => link.authenticate(request, remoteAddr),
      bind: (sessionId: string, request: BindRequest) => link.bind(sessionId, request),
      bindLabels: (sessionId: string, request: LabelBindRequest) => link.bindLabels(sessionId, request),
      unbind: (sessionId: string, id: string) => link.unbind(sessionId, id),
      patchTunnel: (sessionId: string, request: PatchTunnelRequest) => link.patchTunnel(sessionId, request),
      sessionEnded: (sessionId: string, reason: string) => link.sessionEnded(sessionId, reason),
      login: (event: LoginEvent) => link.login(event),
      traffic: (events: readonly TrafficEvent[]) => link.traffic(events),
    },
    onClosed,
  );
  return peer;
}

/** The edge's side: a control at the other end of `channel`. */
export function connectControl(channel: Channel, onClosed: () => void = () => {}): ControlLink & { close(): void } {
  const peer = new Peer(channel, {}, onClosed);
  return {
    follow(edge) {
      peer.answer({
        applySettings: (settings: NodeSettings) => edge.applySettings(settings),
        applyRoutes: (update: RouteUpdate) => edge.applyRoutes(update),
        applyResources: (update: ResourceUpdate) => edge.applyResources(update),
        agentCommand: (sessionId: string, command: AgentCommand) => edge.agentCommand(sessionId, command),
        stopTunnel: (sessionId: string, tunnelId: string, message: string, code: string | null) =>
          edge.stopTunnel(sessionId, tunnelId, message, code),
        closeSession: (sessionId: string, reason: string) => edge.closeSession(sessionId, reason),
        probeSession: (sessionId: string) => edge.probeSession(sessionId),
      });
      return peer.call('follow');
    },
    certificateFor: (serverName) => peer.call('certificateFor', serverName),
    authenticate: (request, remoteAddr) => peer.call('authenticate', request, remoteAddr),
    bind: (sessionId, request) => peer.call('bind', sessionId, request),
    bindLabels: (sessionId, request) => peer.call('bindLabels', sessionId, request),
    unbind: (sessionId, id) => peer.call('unbind', sessionId, id),
    patchTunnel: (sessionId, request) => peer.call('patchTunnel', sessionId, request),
    sessionEnded: (sessionId, reason) => peer.call('sessionEnded', sessionId, reason),
    login: (event) => peer.tell('login', event),
    traffic: (events) => peer.tell('traffic', events),
    close: () => peer.close(),
  };
}

function remoteEdge(peer: Peer): EdgePort {
  return {
    applySettings: (settings) => peer.call('applySettings', settings),
    applyRoutes: (update) => peer.call('applyRoutes', update),
    applyResources: (update) => peer.call('applyResources', update),
    agentCommand: (sessionId, command) => peer.call('agentCommand', sessionId, command),
    stopTunnel: (sessionId, tunnelId, message, errorCode) =>
      peer.tell('stopTunnel', sessionId, tunnelId, message, errorCode),
    closeSession: (sessionId, reason) => peer.tell('closeSession', sessionId, reason),
    probeSession: (sessionId) => peer.call('probeSession', sessionId),
  };
}
