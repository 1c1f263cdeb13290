/** Ways for one large body. */
import { frp, haproxyBytes, nginxStream, rathole, ssh } from './peers.ts';
import type { Definition } from './variant.ts';
import { loopback } from './variant.ts';

export const BULK: readonly Definition[] = [
  {
    id: 'direct',
    group: 'bulk',
    title: 'the upstream itself',
    start: async (stage) => ({ target: loopback(await stage.upstream()), measured: [] }),
  },
  {
    id: 'nginx-twice',
    group: 'bulk',
    title: 'nginx twice, TLS between',
    start: (stage) =>
      stage.nginx().then(({ twiceTlsBetweenPort, outer, inner }) => ({
        target: loopback(twiceTlsBetweenPort),
        measured: [outer, inner],
      })),
  },
  {
    id: 'http',
    group: 'bulk',
    title: 'Postern, http through an agent',
    start: (stage) => stage.postern().then((postern) => postern.share({ name: 'bench-http', scheme: 'http' })),
  },
  {
    id: 'tcp',
    group: 'bulk-bytes',
    title: 'Postern, TCP endpoint',
    start: (stage) => stage.postern().then((postern) => postern.share({ name: 'bench-tcp', scheme: 'tcp' })),
  },
  { id: 'nginx-stream', group: 'bulk-bytes', title: 'nginx stream twice, TLS between', start: nginxStream },
  { id: 'haproxy-tcp', group: 'bulk-bytes', title: 'haproxy twice over TCP, TLS between', start: haproxyBytes },
  { id: 'ssh', group: 'bulk-bytes', title: 'ssh -R', start: ssh },
  { id: 'frp', group: 'bulk-bytes', title: 'frp, TCP', start: frp },
  { id: 'rathole', group: 'bulk-bytes', title: 'rathole, TCP, Noise', start: rathole },
];
