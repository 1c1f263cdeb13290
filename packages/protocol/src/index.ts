/**
 * The wires: muxado, agent RPC, PROXY protocol, HTTP/1, WebSocket frames, HPACK. Bytes in, events and bytes out; no sockets.
 */
export * from './mux/types.ts';
export { createMuxSession, MuxSessionEnded } from './mux/session.ts';
export { pumpMux, type MuxPump, type MuxWire } from './mux/pump.ts';
export * from './rpc/types.ts';
export { JsonReader } from './rpc/json-reader.ts';
export { acceptRpc, callRpc, type RpcOutcome } from './rpc/call.ts';
export {
  decodeAuth,
  decodeLabelBind,
  decodePatchTunnel,
  decodeServerInfo,
  decodeUnbind,
} from './rpc/decode-requests.ts';
export { decodeBind } from './rpc/decode-bind.ts';
export * from './rpc/decode-responses.ts';
export * from './rpc/encode-requests.ts';
export * from './rpc/encode-responses.ts';
export { encodeProxyHeader, ProxyHeaderReader } from './rpc/proxy-header.ts';
export { echoHeartbeats, openHeartbeat, type Heartbeat, type HeartbeatOptions } from './rpc/heartbeat.ts';
export * from './http1/index.ts';
export * from './websocket/index.ts';
export { HpackDecoder } from './hpack/decoder.ts';
export type { HeaderField } from './hpack/static-table.ts';
export type { ProxyAddress, ProxyPreamble } from './proxy-protocol/types.ts';
export { ProxyPreambleParser, type ProxyPreambleResult } from './proxy-protocol/parse.ts';
export { writeProxyPreamble } from './proxy-protocol/write.ts';
