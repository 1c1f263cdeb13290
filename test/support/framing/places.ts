/** The ways from a visitor to an origin that the framing suite tries, all on one platform. */
import { type AgentSession, connectAgent } from '@postern/agent';
import type ngrok from '@ngrok/ngrok';
import { metric } from '../metrics.ts';
import { Platform, splitAddress } from '../platform.ts';
import { agentAddress, sessionBuilder } from '../sdk.ts';
import { until } from '../until.ts';
import { HostileHttp2Origin } from './h2-answers.ts';
import { Http2Origin } from './http2-origin.ts';
import { Origin } from './origin.ts';
import type { Door } from './raw-client.ts';

export interface Place {
  readonly name: string;
  /** Number in tokens. */
  readonly index: number;
  readonly host: string;
  readonly door: Door;
  /** Port of the origin where its requests must arrive. */
  readonly originPort: number;
  readonly upstream: 'http1' | 'http2';
  /** Bytes are sent in small segments. */
  readonly pieces: boolean;
}

interface PlaceOptions {
  readonly upstream?: Place['upstream'];
  readonly pieces?: boolean;
  /** Also a place for HTTP/2 visitors. */
  readonly http2?: boolean;
}

export class Places {
  readonly platform: Platform;
  readonly origin = new Origin();
  readonly http2Origin = new Http2Origin();
  readonly hostileHttp2 = new HostileHttp2Origin();
  readonly http1: Place[] = [];
  /** For HTTP/2 visitors. */
  readonly http2: Place[] = [];
  readonly #agent: AgentSession;
  readonly #sdk: ngrok.Session;
  #count = 0;

  private constructor(platform: Platform, agent: AgentSession, sdk: ngrok.Session) {
    this.platform = platform;
    this.#agent = agent;
    this.#sdk = sdk;
  }

  static async open(args: readonly string[] = []): Promise<Places> {
    const platform = await Platform.start({ args });
    const agent = connectAgent({
      serverAddr: agentAddress(platform),
      ca: platform.ca,
      authtoken: platform.authtoken,
    });
    await agent.online();
    const sdk = await sessionBuilder(platform).connect();
    const places = new Places(platform, agent, sdk);
    await places.#build();
    return places;
  }

  /** An endpoint of the Postern agent in front of the hostile HTTP/2 upstream, for visitors over HTTP/1 and HTTP/2. */
  async openHostileHttp2(): Promise<{ readonly http1: Place; readonly http2: Place }> {
    const originPort = await this.hostileHttp2.listen();
    const host = 'hostile-h2.test';
    await this.#agent.listen({
      url: `https://${host}`,
      upstream: `http://127.0.0.1:${originPort}`,
      forwardsProto: 'http2',
    });
    this.#add('HTTPS, hostile HTTP/2 upstream', host, originPort, 'https', { upstream: 'http2', http2: true });
    const [http1, http2] = [this.http1.pop(), this.http2.pop()];
    if (http1 === undefined || http2 === undefined) throw new Error('no place');
    return { http1, http2 };
  }

  /** Resolves when no visitor and no stream of a visitor is left. */
  async quiet(): Promise<void> {
    const beats = 2;
    await until(async () => (await metric(this.platform, 'postern_visitor_connections')) === 0);
    // Each of the two agents keeps two streams for heartbeats.
    await until(async () => (await metric(this.platform, 'postern_agent_streams')) <= 2 * beats);
  }

  async close(): Promise<void> {
    await this.platform.dispose();
    await this.#agent.close(0);
    // Its server is gone by now, which it calls an error.
    await this.#sdk.close().catch(() => undefined);
    await this.origin.close();
    await this.http2Origin.close();
    await this.hostileHttp2.close();
  }

  async #build(): Promise<void> {
    const { host: agentHttp, port: agentPort } = await this.#throughAgent('http://agent-http.test');
    this.#add('HTTP, Postern agent', agentHttp, agentPort, 'http');
    this.#add('HTTP in small segments, Postern agent', agentHttp, agentPort, 'http', { pieces: true });
    const secure = await this.#throughAgent('https://agent-https.test');
    this.#add('HTTPS, Postern agent', secure.host, secure.port, 'https', { http2: true });

    const sdkPort = await this.origin.listen();
    const target = `http://127.0.0.1:${sdkPort}`;
    await this.#sdk.httpEndpoint().scheme('HTTP').domain('sdk-http.test').listenAndForward(target);
    await this.#sdk.httpEndpoint().domain('sdk-https.test').listenAndForward(target);
    this.#add('HTTP, npm SDK', 'sdk-http.test', sdkPort, 'http');
    this.#add('HTTPS, npm SDK', 'sdk-https.test', sdkPort, 'https', { http2: true });

    const inner = await this.#throughAgent('https://framing.internal');
    await this.#cloud('http://cloud-http.test');
    await this.#cloud('https://cloud-https.test');
    this.#add('HTTP, cloud endpoint to internal', 'cloud-http.test', inner.port, 'http');
    this.#add('HTTPS, cloud endpoint to internal', 'cloud-https.test', inner.port, 'https', { http2: true });

    const upstream = `http://127.0.0.1:${await this.http2Origin.listen()}`;
    await this.#agent.listen({ url: 'http://h2-http.test', upstream, forwardsProto: 'http2' });
    await this.#agent.listen({ url: 'https://h2-https.test', upstream, forwardsProto: 'http2' });
    this.#add('HTTP, HTTP/2 upstream', 'h2-http.test', this.http2Origin.port, 'http', { upstream: 'http2' });
    this.#add('HTTPS, HTTP/2 upstream', 'h2-https.test', this.http2Origin.port, 'https', {
      upstream: 'http2',
      http2: true,
    });
  }

  async #throughAgent(url: string): Promise<{ host: string; port: number }> {
    const port = await this.origin.listen();
    await this.#agent.listen({ url, upstream: `http://127.0.0.1:${port}` });
    return { host: new URL(url).hostname, port };
  }

  async #cloud(url: string): Promise<void> {
    const policy = {
      on_http_request: [{ actions: [{ type: 'forward-internal', config: { url: 'https://framing.internal' } }] }],
    };
    const created = await this.platform.api('POST', '/endpoints', { url, traffic_policy: JSON.stringify(policy) });
    if (created.status !== 201) throw new Error(created.text);
  }

  #add(
    name: string,
    host: string,
    originPort: number,
    scheme: 'http' | 'https',
    { upstream = 'http1', pieces = false, http2 = false }: PlaceOptions = {},
  ): void {
    const { runtime, ca } = this.platform;
    const [address, port] = splitAddress(scheme === 'http' ? runtime.http_addr : runtime.https_addr);
    const door = (alpn: string): Door => ({
      host: address,
      port,
      ...(scheme === 'http' ? {} : { tls: { servername: host, ca, alpn: [alpn] } }),
    });
    this.http1.push({ name, index: (this.#count += 1), host, originPort, upstream, pieces, door: door('http/1.1') });
    if (!http2) return;
    const visitor = name.replace('HTTPS', 'HTTP/2');
    this.http2.push({
      name: visitor,
      index: (this.#count += 1),
      host,
      originPort,
      upstream,
      pieces,
      door: door('h2'),
    });
  }
}
