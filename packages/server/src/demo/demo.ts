import { connectAgent } from '@postern/agent';
import type { EndpointCreate } from '@postern/control';
import type { Logger } from '../log.ts';
import type { Platform } from '../platform.ts';
import { startSampleApp } from './sample-app.ts';

export interface Demo {
  /** `http://app.<base domain>[:port]`, and the same over https. */
  readonly appUrl: { readonly http: string; readonly https: string };
  readonly helloUrl: { readonly http: string; readonly https: string };
  stop(): Promise<void>;
}

/** How long a stop waits for what visitors have open at the sample application. */
const CLOSE_MS = 1000;
/** The server is not announced before the demo is there, so the demo must not keep it waiting for ever. */
const PUBLISH_MS = 10_000;
const INTERNAL_NAME = 'demo-app.internal';

/**
 * The demo, a real use of everything: a small application on a loopback port, published by Postern's own agent, and a
 * cloud endpoint whose policy answers by itself on `/` and forwards `/app` to an internal endpoint of the same agent.
 */
export async function startDemo(platform: Platform, log: Logger): Promise<Demo | null> {
  const base = platform.runtime.base_domains[0] ?? 'postern.localhost';
  const { authtoken } = platform.credentials;
  if (authtoken === null) {
    log.warn({ file: platform.runtime.authtoken_path }, 'the demo is left out: its agent has no authtoken');
    return null;
  }
  const app = await startSampleApp(Date.now);
  const agent = connectAgent({
    serverAddr: platform.runtime.agent_addr,
    serverName: 'localhost',
    ca: platform.ca,
    authtoken,
    metadata: 'the demo of this server',
  });
  const publish = (proto: 'http' | 'https', host: string): Promise<unknown> =>
    agent.listen({
      proto,
      url: `${proto}://${host}`,
      upstream: app.url,
      name: 'demo',
      description: 'Sample application of the demo',
    });
  const stop = async (): Promise<void> => {
    await agent.close(CLOSE_MS);
    await app.close();
  };
  const late = setTimeout(() => void agent.close(0), PUBLISH_MS);
  try {
    await publish('http', `app.${base}`);
    await publish('https', `app.${base}`);
    await publish('https', INTERNAL_NAME);
    await publish('http', INTERNAL_NAME);
    for (const scheme of ['http', 'https'] as const) {
      await ensureCloudEndpoint(
        platform,
        { url: `${scheme}://hello.${base}`, trafficPolicy: policyFor(scheme, base) },
        log,
      );
    }
  } catch (error) {
    await stop();
    throw error;
  } finally {
    clearTimeout(late);
  }
  return {
    appUrl: { http: opened(platform, 'http', `app.${base}`), https: opened(platform, 'https', `app.${base}`) },
    helloUrl: { http: opened(platform, 'http', `hello.${base}`), https: opened(platform, 'https', `hello.${base}`) },
    stop,
  };
}

function policyFor(scheme: 'http' | 'https', base: string): string {
  return JSON.stringify({
    on_http_request: [
      {
        name: 'hand /app to the agent',
        expressions: ["req.url.path == '/app' || req.url.path.startsWith('/app/')"],
        actions: [{ type: 'forward-internal', config: { url: `${scheme}://${INTERNAL_NAME}` } }],
      },
      {
        name: 'answer everything else here',
        actions: [
          {
            type: 'custom-response',
            config: {
              status_code: 200,
              headers: { 'content-type': 'text/html; charset=utf-8' },
              body: `<!doctype html><meta charset="utf-8"><title>Hello from Postern</title><body style="font:16px/1.6 system-ui;max-width:40rem;margin:4rem auto"><h1>Hello \${conn.client_ip}.</h1><p>This answer was made by the traffic policy of a cloud endpoint; no agent took part.</p><p><a href="/app">/app</a> is forwarded to the application behind <code>app.${base}</code>.</p>\n`,
            },
          },
        ],
      },
    ],
  });
}

/** Cloud endpoints outlive the process: the one of an earlier run is brought up to date. */
async function ensureCloudEndpoint(platform: Platform, wanted: EndpointCreate, log: Logger): Promise<void> {
  const { endpoints } = platform.control.api;
  const caller = await platform.control.operator();
  const { items } = await endpoints.list(caller, { limit: 1, urls: [wanted.url ?? ''] });
  const [existing] = items;
  if (existing === undefined) await endpoints.create(caller, { ...wanted, description: 'Cloud endpoint of the demo' });
  else if (existing.type === 'cloud')
    await endpoints.update(caller, existing.id, { trafficPolicy: wanted.trafficPolicy ?? '' });
  else log.warn({ url: wanted.url }, 'the demo leaves this URL to the agent that holds it');
}

function opened(platform: Platform, scheme: 'http' | 'https', host: string): string {
  const port = scheme === 'http' ? platform.publicPorts.http : platform.publicPorts.https;
  const standard = scheme === 'http' ? 80 : 443;
  return port === standard ? `${scheme}://${host}` : `${scheme}://${host}:${port}`;
}
