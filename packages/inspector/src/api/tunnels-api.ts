import { tunnelShape, endpointShape, statusShape } from '../view/classic.ts';
import { type Tunnel, TunnelRefused, type Tunnels } from '../tunnels.ts';
import type { Watches } from '../watch/watches.ts';
import { ApiProblem, type Call, readObject, sendJson, sendNothing } from './answer.ts';
import type { Route } from './route.ts';

/** Words that the published wrappers wait for before they try again. */
const NOT_YET = 'a successful ngrok tunnel session has not yet been established';

/** `/api/tunnels`, `/api/endpoints`, `/api/status`, `/healthz`, `/readyz`. */
export function tunnelRoutes(tunnels: Tunnels, watches: Watches): readonly Route[] {
  const shown = (tunnel: Tunnel): object => tunnelShape(tunnel, watches.of(tunnel.name).view());
  const named = ([name = '']: readonly string[]): Tunnel => {
    const tunnel = tunnels.list().find((each) => each.name === name);
    if (tunnel === undefined) throw new ApiProblem(404, 'not found', `there is no tunnel "${name}"`);
    return tunnel;
  };
  const start = async (call: Call, how: 'startTunnel' | 'startEndpoint'): Promise<Tunnel> => {
    const definition = await readObject(call.request);
    try {
      return await tunnels[how](definition);
    } catch (error) {
      if (!(error instanceof TunnelRefused)) throw error;
      const detail = error.status === 503 ? NOT_YET : error.detail;
      throw new ApiProblem(error.status, error.message, detail, error.code);
    }
  };
  const stop = async (call: Call): Promise<void> => {
    const { name } = named(call.params);
    await tunnels.stop(name);
    watches.forget(name);
    sendNothing(call.response);
  };
  return [
    {
      path: '/api',
      GET: ({ response }) =>
        sendJson(response, 200, {
          uri: '/api',
          status_uri: '/api/status',
          tunnels_uri: '/api/tunnels',
          endpoints_uri: '/api/endpoints',
          requests_http_uri: '/api/requests/http',
        }),
    },
    // For whoever supervises: the process is there; visitors can come.
    { path: '/healthz', GET: ({ response }) => sendJson(response, 200, { status: 'ok' }) },
    {
      path: '/readyz',
      GET({ response }) {
        const { session } = tunnels.state();
        sendJson(response, session === 'online' ? 200 : 503, { status: session });
      },
    },
    { path: '/api/status', GET: ({ response }) => sendJson(response, 200, statusShape(tunnels.state())) },
    {
      path: '/api/tunnels',
      GET: ({ response }) => sendJson(response, 200, { tunnels: tunnels.list().map(shown), uri: '/api/tunnels' }),
      POST: async (call) => sendJson(call.response, 201, shown(await start(call, 'startTunnel'))),
    },
    {
      path: '/api/tunnels/:name',
      GET: ({ response, params }) => sendJson(response, 200, shown(named(params))),
      DELETE: stop,
    },
    {
      path: '/api/endpoints',
      GET: ({ response }) =>
        sendJson(response, 200, {
          endpoints: tunnels.list().map((tunnel) => endpointShape(tunnel)),
          uri: '/api/endpoints',
        }),
      POST: async (call) => sendJson(call.response, 201, endpointShape(await start(call, 'startEndpoint'))),
    },
    {
      path: '/api/endpoints/:name',
      GET: ({ response, params }) => {
        const tunnel = named(params);
        sendJson(response, 200, endpointShape(tunnel, watches.of(tunnel.name).view()));
      },
      DELETE: stop,
    },
  ];
}
