/** Requests as an agent sends them, and commands as a server does (agent-protocol.md §5). The stream type is the mux's. */
import type { AuthRequest, LabelBindRequest, PatchTunnelRequest } from './types.ts';

const NANOS_PER_MILLI = 1_000_000;

export function encodeAuth(request: AuthRequest): Buffer {
  return json({
    Version: request.versions,
    ClientId: request.clientId,
    Extra: {
      OS: request.os,
      Arch: request.arch,
      Authtoken: request.authtoken,
      Version: request.agentVersion,
      Hostname: request.hostname,
      UserAgent: request.userAgent,
      Metadata: request.metadata,
      Cookie: request.cookie,
      HeartbeatInterval: request.heartbeatInterval * NANOS_PER_MILLI,
      HeartbeatTolerance: request.heartbeatTolerance * NANOS_PER_MILLI,
      UpdateUnsupportedError: request.updateUnsupported,
      StopUnsupportedError: request.stopUnsupported,
      RestartUnsupportedError: request.restartUnsupported,
      ClientType: request.clientType,
      LegNumber: request.legNumber,
      ...(request.streams > 0 ? { Streams: request.streams } : {}),
    },
  });
}

/** A Bind as our agent makes it: `opts` are wire names already (agent-protocol.md §5.3). */
export interface BindMessage {
  readonly id: string;
  readonly proto: string;
  readonly forwardsTo: string;
  readonly forwardsProto: string;
  readonly opts: Readonly<Record<string, unknown>>;
  readonly token: string;
  readonly metadata: string;
  readonly bindings: readonly string[];
  readonly poolingEnabled: boolean;
  readonly name: string;
  readonly description: string;
}

export function encodeBind(message: BindMessage): Buffer {
  return json({
    Id: message.id,
    Proto: message.proto,
    ForwardsTo: message.forwardsTo,
    ForwardsProto: message.forwardsProto,
    Opts: message.opts,
    Extra: {
      Token: message.token,
      IPPolicyRef: '',
      Metadata: message.metadata,
      Bindings: message.bindings,
      PoolingEnabled: message.poolingEnabled,
      Name: message.name,
      Description: message.description,
    },
  });
}

export function encodeUnbind(id: string): Buffer {
  return json({ Id: id });
}

export function encodeLabelBind(request: LabelBindRequest): Buffer {
  return json({
    Id: request.id,
    Labels: request.labels,
    ForwardsTo: request.forwardsTo,
    ForwardsProto: request.forwardsProto,
    Metadata: request.metadata,
  });
}

export function encodePatchTunnel(request: PatchTunnelRequest): Buffer {
  return json({
    TunnelId: request.tunnelId,
    Name: request.name,
    Description: request.description,
    Metadata: request.metadata,
    PoolingEnabled: request.poolingEnabled,
    TrafficPolicy: request.trafficPolicy,
  });
}

export function encodeServerInfo(): Buffer {
  return json({});
}

/** Stop or Restart. */
export function encodeCommand(): Buffer {
  return json({});
}

export function encodeUpdate(version: string, permitMajorVersion: boolean): Buffer {
  return json({ Version: version, PermitMajorVersion: permitMajorVersion });
}

export function encodeStopTunnel(id: string, message: string, errorCode: string | null): Buffer {
  return json({ Id: id, Message: message, ErrorCode: errorCode });
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
