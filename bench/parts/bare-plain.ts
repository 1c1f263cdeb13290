/**
 * What a connection costs in the runtime at least: raw sockets that answer once and end, with nobody behind them. Prints
 * its port.
 */
import net from 'node:net';
import { serveOnce, tellPort } from './serve-once.ts';

tellPort(net.createServer({ allowHalfOpen: true, noDelay: true }, serveOnce));
