/**
 * Requests of agents, decoded by a server (agent-protocol.md §5); Bind has a file of its own. Each throws PosternError
 * 109 (or 301 for binds) with the name of the field that is wrong.
 */
import { fail } from '@postern/errors';
import { Fields, isJsonObject } from './fields.ts';
import type { AuthRequest, LabelBindRequest, PatchTunnelRequest } from './types.ts';

const NANOS_PER_MILLI = 1_000_000;
/** Defaults of both SDK families, in milliseconds (agent-protocol.md §3.2). */
const HEARTBEAT_INTERVAL = 10_000;
const HEARTBEAT_TOLERANCE = 15_000;
/** A timer of more milliseconds than this fires at once. */
const LONGEST_WAIT = 2_147_483_647;

export function decodeAuth(value: unknown): AuthRequest {
  const fields = new Fields(value, 'Auth', 109);
  const extra = fields.object('Extra') ?? new Fields({}, 'Auth.Extra', 109);
  return {
    versions: fields.strings('Version'),
    clientId: fields.string('ClientId'),
    authtoken: extra.string('Authtoken'),
    cookie: extra.string('Cookie'),
    os: extra.string('OS'),
    arch: extra.string('Arch'),
    agentVersion: extra.string('Version'),
    hostname: extra.string('Hostname'),
    userAgent: extra.string('UserAgent'),
    metadata: extra.string('Metadata'),
    heartbeatInterval: milliseconds(extra, 'HeartbeatInterval', HEARTBEAT_INTERVAL),
    heartbeatTolerance: milliseconds(extra, 'HeartbeatTolerance', HEARTBEAT_TOLERANCE),
    updateUnsupported: extra.stringOrNull('UpdateUnsupportedError'),
    stopUnsupported: extra.stringOrNull('StopUnsupportedError'),
    restartUnsupported: extra.stringOrNull('RestartUnsupportedError'),
    clientType: extra.string('ClientType'),
    legNumber: extra.number('LegNumber'),
    streams: Math.max(0, Math.floor(extra.number('Streams'))),
  };
}

export function decodeUnbind(value: unknown): { readonly id: string } {
  return { id: new Fields(value, 'Unbind', 109).string('Id') };
}

export function decodeLabelBind(value: unknown): LabelBindRequest {
  const fields = new Fields(value, 'StartTunnelWithLabel', 301);
  return {
    id: fields.string('Id'),
    labels: fields.stringMap('Labels'),
    forwardsTo: fields.string('ForwardsTo'),
    forwardsProto: fields.string('ForwardsProto'),
    metadata: fields.string('Metadata'),
  };
}

export function decodePatchTunnel(value: unknown): PatchTunnelRequest {
  const fields = new Fields(value, 'PatchTunnelState', 109);
  const patch: { -readonly [K in keyof PatchTunnelRequest]: PatchTunnelRequest[K] } = {
    tunnelId: fields.string('TunnelId'),
  };
  if (fields.has('Name')) patch.name = fields.string('Name');
  if (fields.has('Description')) patch.description = fields.string('Description');
  if (fields.has('Metadata')) patch.metadata = fields.string('Metadata');
  if (fields.has('PoolingEnabled')) patch.poolingEnabled = fields.boolean('PoolingEnabled');
  if (fields.has('TrafficPolicy')) patch.trafficPolicy = fields.string('TrafficPolicy');
  return patch;
}

/** SrvInfo asks nothing; this only checks that it is a message at all. */
export function decodeServerInfo(value: unknown): Readonly<Record<string, never>> {
  if (isJsonObject(value)) return {};
  throw fail(109, { reason: 'SrvInfo must be an object' });
}

function milliseconds(fields: Fields, name: string, fallback: number): number {
  const nanos = fields.number(name);
  return nanos > 0 ? Math.min(LONGEST_WAIT, Math.max(1, Math.round(nanos / NANOS_PER_MILLI))) : fallback;
}
