/** What runs when nothing is asked for: small requests through us, beside nginx and a proxy of `node:http`. */
import type { Definition } from './variant.ts';
import { loopback } from './variant.ts';

export const CORE: readonly Definition[] = [
  {
    id: 'direct',
    group: 'core',
    title: 'the upstream itself',
    start: async (stage) => ({ target: loopback(await stage.upstream()), measured: [] }),
  },
  {
    id: 'nginx-answer',
    group: 'core',
    title: 'nginx answers by itself',
    start: (stage) =>
      stage.nginx().then(({ answerPort, inner }) => ({ target: loopback(answerPort), measured: [inner] })),
  },
  {
    id: 'nginx-once',
    group: 'core',
    title: 'nginx, one hop',
    start: (stage) => stage.nginx().then(({ oncePort, inner }) => ({ target: loopback(oncePort), measured: [inner] })),
  },
  {
    id: 'nginx-twice',
    group: 'core',
    title: 'nginx twice',
    start: (stage) =>
      stage.nginx().then(({ twicePort, outer, inner }) => ({ target: loopback(twicePort), measured: [outer, inner] })),
  },
  {
    id: 'nginx-twice-tls',
    group: 'core',
    title: 'nginx twice, https',
    start: (stage) =>
      stage.nginx().then(({ twiceTlsPort, outer, inner }) => ({
        target: loopback(twiceTlsPort, { tls: true }),
        measured: [outer, inner],
      })),
  },
  {
    id: 'node-proxy',
    group: 'core',
    title: 'node:http reverse proxy',
    start: async (stage) => {
      const { port, pid } = await stage.part('node-proxy', [String(await stage.upstream())]);
      return { target: loopback(port), measured: [{ label: 'node:http proxy', pids: [pid] }] };
    },
  },
  {
    id: 'cloud',
    group: 'core',
    title: 'Postern, cloud endpoint',
    start: (stage) => stage.postern().then((postern) => postern.cloud('bench-cloud')),
  },
  {
    id: 'http',
    group: 'core',
    title: 'Postern, http through an agent',
    start: (stage) => stage.postern().then((postern) => postern.share({ name: 'bench-http', scheme: 'http' })),
  },
  {
    id: 'https',
    group: 'core',
    title: 'Postern, https through an agent',
    start: (stage) => stage.postern().then((postern) => postern.share({ name: 'bench-https', scheme: 'https' })),
  },
  {
    id: 'inspected',
    group: 'core',
    title: 'Postern, http, inspector on',
    start: (stage) =>
      stage.postern().then((postern) => postern.share({ name: 'bench-inspected', scheme: 'http', inspected: true })),
  },
];
