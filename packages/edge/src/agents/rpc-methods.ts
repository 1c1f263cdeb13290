/**
 * What agents may ask, by stream type (agent-protocol.md §5): how to read the question, what to do, and how to say yes
 * or no. Everything but Auth and SrvInfo needs a session.
 */
import {
  decodeBind,
  decodeLabelBind,
  decodePatchTunnel,
  decodeUnbind,
  encodeBindError,
  encodeBindResponse,
  encodeErrorResponse,
  encodeLabelBindResponse,
  encodePatchTunnelResponse,
  encodeServerInfoResponse,
  encodeUnbindResponse,
  StreamType,
  type BindRequest,
} from '@postern/protocol';
import type { AgentBound, ControlLink } from '@postern/link';

export interface RpcCall {
  readonly link: ControlLink;
  readonly sessionId: string;
  readonly region: string;
  /** The JSON object that the agent sent. */
  readonly message: unknown;
  /** The agent has taken one of its endpoints back. */
  readonly onUnbound: (tunnelId: string) => void;
}

export interface RpcMethod {
  readonly name: string;
  readonly needsSession: boolean;
  /** It claims an address, which costs far more than the others. */
  readonly binds: boolean;
  /** Resolves with the encoded answer; throws PosternError. */
  run(call: RpcCall): Promise<Buffer>;
  /** The encoded answer that says why not. */
  refuse(text: string): Buffer;
}

const bind: RpcMethod = {
  name: 'Bind',
  needsSession: true,
  binds: true,
  async run({ link, sessionId, message }) {
    const request = decodeBind(message);
    const bound = await link.bind(sessionId, request);
    const { id, url, proto, token, tunnelId } = bound;
    return encodeBindResponse({ id, url, proto, opts: answeredOptions(request, bound), token, tunnelId });
  },
  refuse: (text) => encodeBindError('', text),
};

const bindLabels: RpcMethod = {
  name: 'StartTunnelWithLabel',
  needsSession: true,
  binds: true,
  async run({ link, sessionId, message }) {
    const { id } = await link.bindLabels(sessionId, decodeLabelBind(message));
    return encodeLabelBindResponse(id);
  },
  refuse: (text) => encodeLabelBindResponse('', text),
};

const unbind: RpcMethod = {
  name: 'Unbind',
  needsSession: true,
  binds: false,
  async run({ link, sessionId, message, onUnbound }) {
    const { id } = decodeUnbind(message);
    await link.unbind(sessionId, id);
    onUnbound(id);
    return encodeUnbindResponse();
  },
  refuse: (text) => encodeUnbindResponse(text),
};

const patchTunnel: RpcMethod = {
  name: 'PatchTunnelState',
  needsSession: true,
  binds: true,
  async run({ link, sessionId, message }) {
    await link.patchTunnel(sessionId, decodePatchTunnel(message));
    return encodePatchTunnelResponse();
  },
  refuse: (text) => encodePatchTunnelResponse(text),
};

const serverInfo: RpcMethod = {
  name: 'SrvInfo',
  needsSession: false,
  binds: false,
  run: ({ region }) => Promise.resolve(encodeServerInfoResponse(region)),
  refuse: (text) => encodeErrorResponse(text),
};

/**
 * The options of the question, because agents send them back when they reconnect, with what was decided beyond them:
 * 2.x agents read the host for their second bind out of `Hostname`, and SDKs take from `TLSTermination` whether plain
 * bytes or TLS will come (agent-protocol.md, annex).
 */
function answeredOptions(request: BindRequest, bound: AgentBound): Readonly<Record<string, unknown>> {
  const { opts, rawOpts } = request;
  const answered: Record<string, unknown> = { ...rawOpts };
  // tcp has one address, and a port that was free to choose stays so for the day when it is taken.
  if (bound.proto !== 'tcp' && opts.url === undefined && opts.hostname === undefined) {
    setField(answered, 'Hostname', bound.host);
  }
  if (bound.tlsEndsHere && opts.tlsTermination === undefined) setField(answered, 'TLSTermination', {});
  return answered;
}

/** Under the spelling that the agent itself used. */
function setField(opts: Record<string, unknown>, name: string, value: unknown): void {
  const known = Object.keys(opts).find((key) => key.toLowerCase() === name.toLowerCase());
  opts[known ?? name] = value;
}

/** All but Auth, which makes the session. */
export const RPC_METHODS: ReadonlyMap<number, RpcMethod> = new Map([
  [StreamType.bind, bind],
  [StreamType.unbind, unbind],
  [StreamType.bindLabels, bindLabels],
  [StreamType.serverInfo, serverInfo],
  [StreamType.patchTunnel, patchTunnel],
]);
