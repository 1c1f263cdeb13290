/** The data plane: listeners, TLS, routing, exchanges, agent sessions. See README.md. */
export type { EdgeConfig, EdgeLimits, ListenAddress, Log } from './context.ts';
export { createEdge, type Edge, type EdgeOptions, type EdgeStats, type PeerSettings } from './edge.ts';
export type { ListenerStats } from './listeners/listeners.ts';
export type { Listener, OpenListener, Service } from './listeners/listener.ts';
export { AddressData } from './services/addresses/data.ts';
export type { MovedVisitor } from './connection/visitor.ts';
export type { MoveChannel } from './moves/moves.ts';
export { AskingShares } from './shares/asking.ts';
export { ShareKeeper } from './shares/keeper.ts';
export type { Answer, Ask, Done, OnceKind, Order, ShareSide, Told } from './shares/shares.ts';
export { DEFAULT_EDGE_LIMITS } from './limits.ts';
