/**
 * The wires: muxado, agent RPC, PROXY protocol, HTTP/1. Bytes in, events and bytes out; no sockets.
 */
export * from './mux/types.ts';
export { createMuxSession, MuxSessionEnded } from './mux/session.ts';
export { pumpMux, type MuxPump, type MuxWire } from './mux/pump.ts';
export * from './rpc/types.ts';
export * from './http1/index.ts';
