/** The link between two processes, or threads: a channel of messages with control at one end and an edge at the other. */
export { overMessagePort, overProcess, split, type Channel } from './channel.ts';
export { connectControl, serveControl } from './ends.ts';
export { RemoteError } from './errors.ts';
export { LinkClosed, Peer } from './peer.ts';
