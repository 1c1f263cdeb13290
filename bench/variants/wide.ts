/** Other ways through the platform than small requests over HTTP/1.1: HTTP/2, bytes, messages, short connections. */
import { sdkProcess } from '../../test/support/sdk.ts';
import type { Shared } from '../postern.ts';
import type { Stage } from '../stage.ts';
import type { Definition } from './variant.ts';
import { loopback } from './variant.ts';

/** As many as official agents are looked at with. */
const FEW_CONNECTIONS = 16;

const overHttps = (stage: Stage): Promise<Shared> =>
  stage.postern().then((postern) => postern.share({ name: 'bench-https', scheme: 'https' }));
const overHttp = (stage: Stage): Promise<Shared> =>
  stage.postern().then((postern) => postern.share({ name: 'bench-http', scheme: 'http' }));
const change = ({ target, measured }: Shared, by: Partial<Shared['target']>): Shared => ({
  target: { ...target, ...by },
  measured,
});

export const WIDE: readonly Definition[] = [
  {
    id: 'node-http2',
    group: 'http2',
    title: 'node:http2 reverse proxy',
    start: async (stage) => {
      const { port, pid } = await stage.part('node-http2-proxy', [String(await stage.upstream())]);
      const measured = [{ label: 'node:http2 proxy', pids: [pid] }];
      return { target: loopback(port, { tls: true, by: 'http2' }), measured };
    },
  },
  {
    id: 'h2',
    group: 'http2',
    title: 'Postern, HTTP/2 through an agent',
    start: (stage) => overHttps(stage).then((shared) => change(shared, { by: 'http2' })),
  },
  {
    id: 'tcp',
    group: 'bytes',
    title: 'Postern, TCP endpoint',
    start: (stage) => stage.postern().then((postern) => postern.share({ name: 'bench-tcp', scheme: 'tcp' })),
  },
  {
    id: 'tls',
    group: 'bytes',
    title: 'Postern, TLS endpoint, ended at the server',
    start: (stage) =>
      stage.postern().then((postern) =>
        postern.share({
          name: 'bench-tls',
          scheme: 'tls',
          policy: { on_tcp_connect: [{ actions: [{ type: 'terminate-tls', config: {} }] }] },
        }),
      ),
  },
  {
    id: 'sdk',
    group: 'sdk',
    title: 'Postern, http through an official agent',
    start: sdkShare,
  },
  {
    id: 'sdk-few',
    group: 'sdk',
    title: `the same, ${FEW_CONNECTIONS} connections`,
    start: (stage) => sdkShare(stage).then((shared) => change(shared, { connections: FEW_CONNECTIONS })),
  },
  {
    id: 'direct-few',
    group: 'sdk',
    title: `the upstream itself, ${FEW_CONNECTIONS} connections`,
    start: async (stage) => ({
      target: loopback(await stage.upstream(), { connections: FEW_CONNECTIONS }),
      measured: [],
    }),
  },
  {
    id: 'nginx-websocket',
    group: 'websocket',
    title: 'nginx twice, WebSocket messages',
    start: (stage) =>
      stage.nginx().then(({ twicePort, outer, inner }) => ({
        target: loopback(twicePort, { by: 'websocket', path: '/websocket' }),
        measured: [outer, inner],
      })),
  },
  {
    id: 'websocket',
    group: 'websocket',
    title: 'Postern, WebSocket messages',
    start: (stage) => overHttp(stage).then((shared) => change(shared, { by: 'websocket', path: '/websocket' })),
  },
  ...cold('cold-http', 'a connection for each request', false, 'cold'),
  ...cold('cold-https', 'a full TLS handshake for each request', true, 'cold'),
  ...cold('cold-resumed', 'a resumed TLS session for each request', true, 'resumed'),
];

function cold(id: string, title: string, tls: boolean, by: 'cold' | 'resumed'): readonly Definition[] {
  return [
    {
      id: `nginx-${id}`,
      group: 'cold',
      title: `nginx twice, ${title}`,
      start: (stage) =>
        stage.nginx().then(({ twicePort, twiceTlsPort, outer, inner }) => ({
          target: loopback(tls ? twiceTlsPort : twicePort, { tls, by }),
          measured: [outer, inner],
        })),
    },
    {
      id: `bare-${id}`,
      group: 'cold',
      title: `a bare ${tls ? 'tls' : 'net'} server, ${title}`,
      start: async (stage) => {
        const { port, pid } = await stage.part(tls ? 'bare-tls' : 'bare-plain', []);
        const measured = [{ label: `bare ${tls ? 'tls' : 'net'}`, pids: [pid] }];
        return { target: loopback(port, { tls, by }), measured };
      },
    },
    {
      id,
      group: 'cold',
      title: `Postern, ${title}`,
      start: (stage) => (tls ? overHttps(stage) : overHttp(stage)).then((shared) => change(shared, { by })),
    },
  ];
}

/** The official agent library, in a process of its own. */
async function sdkShare(stage: Stage): Promise<Shared> {
  const postern = await stage.postern();
  const target = postern.target('http', 'bench-sdk');
  const agent = await stage.once(
    'sdk',
    async () =>
      sdkProcess(postern.platform, {
        upstream: `http://127.0.0.1:${await stage.upstream()}`,
        domain: target.hostHeader,
        schemes: ['http'],
      }),
    (started) => started.kill('SIGTERM'),
  );
  return { target, measured: [postern.server, { label: 'official agent', pids: [agent.child.pid ?? 0] }] };
}
