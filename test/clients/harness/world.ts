/** One real server as a process, the services behind its agents, and visitors in front of it. */
import { mkdir, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { clientCertificates, selfSigned } from '../../support/certificates.ts';
import { type ApiAnswer, Platform, splitAddress, type Visit, type VisitOptions } from '../../support/platform.ts';
import { type Upstream, tcpEcho } from '../../support/upstream.ts';
import { startService } from './service.ts';

/** Agents dial this name; the server's certificate has it. */
export const AGENT_NAME = 'localhost';

export interface KeyFiles {
  readonly cert: string;
  readonly key: string;
}

export class World {
  platform: Platform;
  readonly service: Awaited<ReturnType<typeof startService>>;
  readonly echo: Upstream;
  #names = 0;

  private constructor(platform: Platform, service: Awaited<ReturnType<typeof startService>>, echo: Upstream) {
    this.platform = platform;
    this.service = service;
    this.echo = echo;
  }

  static async start(): Promise<World> {
    const platform = await Platform.start({ args: [`--agent-name=${AGENT_NAME}`] });
    return new World(platform, await startService(), await tcpEcho());
  }

  /** `localhost:<port>` of the agents' listener. */
  get agentAddress(): string {
    return `${AGENT_NAME}:${splitAddress(this.platform.runtime.agent_addr)[1]}`;
  }

  get caFile(): string {
    return this.platform.runtime.ca_path;
  }

  /** A host that nobody had before; its certificates verify. */
  host(): string {
    return `client${(this.#names += 1)}.example.com`;
  }

  visit(url: string, options?: VisitOptions): Promise<Visit> {
    return this.platform.visit(url, options);
  }

  async api(method: string, route: string, body?: unknown): Promise<ApiAnswer> {
    return this.platform.api(method, route, body);
  }

  /** Rows of a list, all pages. */
  async rows(route: string, key = route.slice(1)): Promise<readonly Record<string, unknown>[]> {
    const found: Record<string, unknown>[] = [];
    for (let at: string | null = route; at !== null;) {
      const page: ApiAnswer = await this.api('GET', at);
      found.push(...page.body[key]);
      at = page.body.next_page_uri;
    }
    return found;
  }

  /** Ends the server and starts another with the same data at the same addresses. */
  async restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.platform = await this.platform.restart(signal, {
      listen: this.platform.sameAddresses,
      args: [`--agent-name=${AGENT_NAME}`],
    });
  }

  /** A connection to a tcp endpoint's URL. */
  async dial(url: string): Promise<net.Socket> {
    const socket = net.connect({ host: '127.0.0.1', port: Number(new URL(url).port), allowHalfOpen: true });
    await connected(socket, 'connect');
    return socket;
  }

  /** A TLS connection for this name to the public port. */
  async dialTls(servername: string, options: tls.ConnectionOptions = {}): Promise<tls.TLSSocket> {
    const [host, port] = splitAddress(this.platform.runtime.https_addr);
    const wanted: tls.ConnectionOptions = { host, port, servername, ca: this.platform.ca, ...options };
    const socket = tls.connect(wanted);
    await connected(socket, 'secureConnect');
    return socket;
  }

  /** A certificate that signs itself, as files that clients read. */
  async keyFiles(domain: string): Promise<KeyFiles> {
    const folder = await this.#folder();
    const { cert, key } = await selfSigned(domain);
    const files = { cert: path.join(folder, `${domain}.pem`), key: path.join(folder, `${domain}.key`) };
    await Promise.all([writeFile(files.cert, cert), writeFile(files.key, key)]);
    return files;
  }

  /** A visitor's request with a certificate of its own, or without. */
  async visitTls(url: string, options: tls.ConnectionOptions): Promise<{ status: number; text: string }> {
    const target = new URL(url);
    const socket = await this.dialTls(target.hostname, options);
    const request = http.request({
      createConnection: () => socket,
      path: target.pathname,
      headers: { host: target.host, connection: 'close' },
    });
    request.end();
    return new Promise((resolve, reject) => {
      request.once('error', reject);
      request.once('response', (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
    });
  }

  /** An authority for visitors' certificates as a file, and a visitor's certificate and key of it. */
  async clientAuthority(): Promise<{ ca: string; cert: Buffer; key: Buffer }> {
    const made = await clientCertificates();
    const ca = path.join(await this.#folder(), `authority${(this.#names += 1)}.pem`);
    await writeFile(ca, made.ca);
    return { ca, cert: made.cert, key: made.key };
  }

  /** An authority's certificate as text. */
  async authorityPem(): Promise<string> {
    return (await clientCertificates()).ca.toString();
  }

  async #folder(): Promise<string> {
    const folder = path.join(this.platform.dataDir, 'clients');
    await mkdir(folder, { recursive: true });
    return folder;
  }

  async dispose(): Promise<void> {
    await this.platform.dispose();
    await Promise.all([this.service.close(), this.echo.close()]);
  }
}

function connected(socket: net.Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => {
      socket.removeListener('error', reject);
      socket.on('error', () => undefined);
      resolve();
    });
    socket.once('error', reject);
  });
}

/** A visitor's request whose answer is read by the caller. */
export function openRequest(
  world: World,
  url: string,
  options: { readonly method?: string; readonly headers?: http.OutgoingHttpHeaders } = {},
): Promise<{ request: http.ClientRequest; answer: Promise<http.IncomingMessage> }> {
  const target = new URL(url);
  const secure = target.protocol === 'https:';
  const [host, port] = splitAddress(secure ? world.platform.runtime.https_addr : world.platform.runtime.http_addr);
  const createConnection = (): net.Socket =>
    secure
      ? tls.connect({ host, port, servername: target.hostname, ca: world.platform.ca })
      : net.connect({ host, port });
  const request = http.request({
    createConnection,
    method: options.method ?? 'GET',
    path: `${target.pathname}${target.search}`,
    headers: { host: target.host, connection: 'close', ...options.headers },
  });
  const answer = new Promise<http.IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
  });
  answer.catch(() => undefined);
  return Promise.resolve({ request, answer });
}
