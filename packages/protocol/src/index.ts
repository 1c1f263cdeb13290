/**
 * The wires: muxado, agent RPC, PROXY protocol, HTTP/1. Bytes in, events and bytes out; no sockets.
 */
export * from './mux/types.ts';
export * from './rpc/types.ts';
export * from './http1/types.ts';
