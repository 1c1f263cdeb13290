/** The same over the runtime's TLS, as it comes: sockets that shake hands, answer once and end. Prints its port. */
import tls from 'node:tls';
import { selfSigned } from '../../test/support/certificates.ts';
import { serveOnce, tellPort } from './serve-once.ts';

const identity = await selfSigned('nginx.postern.localhost');
tellPort(tls.createServer({ ...identity, allowHalfOpen: true, noDelay: true }, serveOnce));
