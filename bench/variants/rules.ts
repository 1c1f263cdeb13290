/** What policies and the number of routes add to a small request through an agent. */
import { Missing, type Stage } from '../stage.ts';
import { manyRoutes } from './many-routes.ts';
import type { Definition } from './variant.ts';

/** Over path, method, headers and address; none matches, so that all of them are evaluated. */
export const TEN_RULES: readonly object[] = [
  "req.url.path.startsWith('/admin') && !(conn.client_ip in ['192.0.2.1', '192.0.2.2'])",
  "req.method == 'DELETE' || req.method == 'PUT'",
  "hasReqHeader('x-forbidden')",
  "req.headers['user-agent'].exists(agent, agent.matches('(?i)badbot|evilbot'))",
  "inCidrRanges(conn.client_ip, ['192.0.2.0/24', '198.51.100.0/24'])",
  "getReqCookie('beta').value == '1'",
  "req.url.path in ['/old', '/older', '/oldest'] && req.method == 'GET'",
  "req.host.endsWith('.internal.example.com')",
  'req.content_length > 1000000',
  "req.url.query.contains('debug=1') || req.url.path.endsWith('.php')",
].map((expression) => ({ expressions: [expression], actions: [{ type: 'deny' }] }));

/** As most visitors send: rules look at it. */
export const BROWSER: readonly string[] = [
  'User-Agent',
  'Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0',
];

const FEW_ROUTES = 10;
const MANY_ROUTES = 100_000;

export const RULES: readonly Definition[] = [
  ruled('no-policy', 'Postern, http, no policy', null),
  ruled('empty-policy', 'Postern, http, an empty policy', {}),
  ruled('ten-rules', 'Postern, http, ten rules', { on_http_request: TEN_RULES }),
  routed('few-routes', FEW_ROUTES),
  routed('many-routes', MANY_ROUTES),
];

function ruled(id: string, title: string, policy: object | null): Definition {
  return {
    id,
    group: 'policy',
    title,
    start: async (stage) => {
      const postern = await stage.postern();
      const share = { name: `bench-${id}`, scheme: 'http', ...(policy === null ? {} : { policy }) } as const;
      const { target, measured } = await postern.share(share);
      return { target: { ...target, headers: BROWSER }, measured };
    },
  };
}

function routed(id: string, count: number): Definition {
  return {
    id,
    group: 'routes',
    title: `Postern, cloud endpoint among ${count.toLocaleString('en')} routes`,
    start: async (stage: Stage) => {
      if (stage.options.profile !== '') throw new Missing('no profiles are made of platforms with many routes');
      const postern = await stage.once(
        id,
        () => manyRoutes(count, stage),
        (started) => started.stop(),
      );
      return postern.cloud('bench-cloud');
    },
  };
}
