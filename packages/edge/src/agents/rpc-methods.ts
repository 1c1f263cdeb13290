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
} from '@postern/protocol';
import type { ControlLink } from '@postern/link';

export interface RpcCall {
  readonly link: ControlLink;
  readonly sessionId: string;
  readonly region: string;
  /** The JSON object that the agent sent. */
  readonly message: unknown;
}

export interface RpcMethod {
  readonly name: string;
  readonly needsSession: boolean;
  /** Resolves with the encoded answer; throws PosternError. */
  run(call: RpcCall): Promise<Buffer>;
  /** The encoded answer that says why not. */
  refuse(text: string): Buffer;
}

const bind: RpcMethod = {
  name: 'Bind',
  needsSession: true,
  async run({ link, sessionId, message }) {
    const request = decodeBind(message);
    const bound = await link.bind(sessionId, request);
    const { id, url, proto, token, tunnelId } = bound;
    return encodeBindResponse({ id, url, proto, opts: request.rawOpts, token, tunnelId });
  },
  refuse: (text) => encodeBindError('', text),
};

const bindLabels: RpcMethod = {
  name: 'StartTunnelWithLabel',
  needsSession: true,
  async run({ link, sessionId, message }) {
    const { id } = await link.bindLabels(sessionId, decodeLabelBind(message));
    return encodeLabelBindResponse(id);
  },
  refuse: (text) => encodeLabelBindResponse('', text),
};

const unbind: RpcMethod = {
  name: 'Unbind',
  needsSession: true,
  async run({ link, sessionId, message }) {
    await link.unbind(sessionId, decodeUnbind(message).id);
    return encodeUnbindResponse();
  },
  refuse: (text) => encodeUnbindResponse(text),
};

const patchTunnel: RpcMethod = {
  name: 'PatchTunnelState',
  needsSession: true,
  async run({ link, sessionId, message }) {
    await link.patchTunnel(sessionId, decodePatchTunnel(message));
    return encodePatchTunnelResponse();
  },
  refuse: (text) => encodePatchTunnelResponse(text),
};

const serverInfo: RpcMethod = {
  name: 'SrvInfo',
  needsSession: false,
  run: ({ region }) => Promise.resolve(encodeServerInfoResponse(region)),
  refuse: (text) => encodeErrorResponse(text),
};

/** All but Auth, which makes the session. */
export const RPC_METHODS: ReadonlyMap<number, RpcMethod> = new Map([
  [StreamType.bind, bind],
  [StreamType.unbind, unbind],
  [StreamType.bindLabels, bindLabels],
  [StreamType.serverInfo, serverInfo],
  [StreamType.patchTunnel, patchTunnel],
]);
