/** The shapes of the v3 agent's local API (agent-and-ux.md §2.2), which scripts and wrappers read. */
import { bytesOf } from '../record/blocks.ts';
import type { Capture, Exchange } from '../record/exchange.ts';
import type { Recorder } from '../record/recorder.ts';
import type { TunnelMetricsView } from '../meters/tunnel-meters.ts';
import type { AgentState, Tunnel } from '../tunnels.ts';
import { durationOf, startOf } from './exchange-view.ts';
import { readWireMessage } from './wire-message.ts';

export function tunnelShape(tunnel: Tunnel, metrics: TunnelMetricsView): object {
  return {
    name: tunnel.name,
    ID: tunnel.id,
    uri: `/api/tunnels/${encodeURIComponent(tunnel.name)}`,
    public_url: tunnel.url,
    proto: tunnel.proto,
    config: { addr: tunnel.addr, inspect: tunnel.inspect },
    metrics,
  };
}

export function endpointShape(tunnel: Tunnel, metrics?: TunnelMetricsView): object {
  return {
    name: tunnel.name,
    uri: `/api/endpoints/${encodeURIComponent(tunnel.name)}`,
    url: tunnel.url,
    upstream: { url: tunnel.addr, protocol: tunnel.upstreamProtocol ?? '' },
    inspect: tunnel.inspect,
    traffic_policy: tunnel.trafficPolicy ?? '',
    pooling_enabled: tunnel.poolingEnabled ?? false,
    bindings: tunnel.bindings ?? ['public'],
    metadata: tunnel.metadata ?? '',
    description: tunnel.description ?? '',
    ...(metrics === undefined ? {} : { metrics }),
  };
}

export function requestShape(recorder: Recorder, exchange: Exchange): object {
  const request = sideShape(exchange.request);
  const [method, uri, proto] = request.line;
  const id = recorder.ids.idOf(exchange.number);
  return {
    uri: `/api/requests/http/${id}`,
    id,
    tunnel_name: exchange.tunnel,
    remote_addr: exchange.clientAddr.replace(/:\d+$/, ''),
    start: startOf(exchange),
    duration: Math.round(durationOf(recorder, exchange) * 1_000_000),
    request: { method, proto, headers: request.headers, uri, raw: request.raw },
    response: exchange.status === 0 ? null : responseShape(exchange),
  };
}

export function statusShape(state: AgentState): object {
  const legs = (state.session === 'online' ? (state.legs ?? [state.latency]) : []).map((latency) => ({
    region: state.region,
    latency: latency === undefined ? '' : `${Math.round(latency)}ms`,
  }));
  return { status: state.session, agent_version: state.version, session: { legs }, uri: '/api/status' };
}

function responseShape(exchange: Exchange): object {
  const { line, headers, raw } = sideShape(exchange.response);
  const [proto, status, reason] = line;
  return { status: `${status} ${reason}`.trim(), status_code: exchange.status, proto, headers, raw };
}

function sideShape(capture: Capture): {
  readonly line: readonly [string, string, string];
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly raw: string;
} {
  const bytes = bytesOf(capture.pieces);
  const { line, fields } = readWireMessage(bytes);
  const headers = new Map<string, string[]>();
  for (const [name, value] of fields) {
    const key = canonical(name);
    const values = headers.get(key);
    if (values === undefined) headers.set(key, [value]);
    else values.push(value);
  }
  return { line, headers: Object.fromEntries(headers), raw: bytes.toString('base64') };
}

/** `content-type` → `Content-Type`: what reads these maps looks for names as Go writes them. */
function canonical(name: string): string {
  return name
    .split('-')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1).toLowerCase())
    .join('-');
}
