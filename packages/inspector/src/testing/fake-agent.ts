import http from 'node:http';
import { type Duplex, duplexPair } from 'node:stream';
import { type Inspector, startInspector, type Tunnel, type TunnelRefused, type Tunnels } from '../index.ts';

export const TUNNEL: Tunnel = {
  name: 'command_line (http)',
  id: 'tn_1',
  url: 'https://app.test',
  proto: 'https',
  addr: 'http://localhost:80',
  inspect: true,
};

/** An agent with tunnels that lead to a service in this process. */
export class FakeAgent implements Tunnels {
  tunnels: Tunnel[] = [TUNNEL];
  refusal: TunnelRefused | undefined;
  /** What the service was sent, connection by connection. */
  readonly sent: string[] = [];
  state(): ReturnType<Tunnels['state']> {
    return { session: 'online', version: '1.2.3', region: 'here', latency: 12.3, facts: [['Server', 'x:4443']] };
  }
  list(): readonly Tunnel[] {
    return this.tunnels;
  }
  async startTunnel(definition: Readonly<Record<string, unknown>>): Promise<Tunnel> {
    if (this.refusal !== undefined) throw this.refusal;
    const made = { ...TUNNEL, name: String(definition['name']), addr: String(definition['addr']) };
    this.tunnels.push(made);
    return made;
  }
  startEndpoint(definition: Readonly<Record<string, unknown>>): Promise<Tunnel> {
    return this.startTunnel(definition);
  }
  async stop(name: string): Promise<boolean> {
    this.tunnels = this.tunnels.filter((tunnel) => tunnel.name !== name);
    return true;
  }
  connect(name: string): Duplex | undefined {
    if (!this.tunnels.some((tunnel) => tunnel.name === name)) return undefined;
    const [ours, theirs] = duplexPair();
    const at = this.sent.push('') - 1;
    theirs.on('data', (chunk: Buffer) => {
      this.sent[at] += chunk.toString('latin1');
      if (!this.sent[at]?.includes('\r\n\r\n')) return;
      theirs.end('HTTP/1.1 201 Created\r\nContent-Length: 5\r\nConnection: close\r\n\r\nagain');
    });
    return ours;
  }
}

export async function ask(
  inspector: Inspector,
  method: string,
  path: string,
  options: { body?: unknown; headers?: Record<string, string> } = {},
) {
  const [host = '', port = ''] = inspector.addr.split(':');
  const text = typeof options.body === 'string' ? options.body : JSON.stringify(options.body);
  return new Promise<{
    status: number; // Tests read answers freely; what they expect of them is what they assert.
    // oxlint-disable-next-line typescript/no-explicit-any
    body: any;
    text: string;
    headers: http.IncomingHttpHeaders;
  }>((resolve, reject) => {
    const headers = { ...(text === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers };
    const request = http.request({ host, port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject).once('end', () => {
        const got = Buffer.concat(chunks).toString();
        const json = response.headers['content-type'] === 'application/json' && got !== '';
        resolve({
          status: response.statusCode ?? 0,
          text: got,
          body: json ? JSON.parse(got) : null,
          headers: response.headers,
        });
      });
    });
    request.on('error', reject).end(text);
  });
}

/** A visitor's request and its answer pass. */
export function pass(inspector: Inspector, request: string, response: string, clientAddr = '192.0.2.7:1234'): void {
  const connection = inspector.watch({ name: TUNNEL.name, inspect: true })({
    clientAddr,
    proto: 'https',
    behindProxyHeader: false,
  });
  connection.fromVisitor?.(Buffer.from(request));
  connection.fromService?.(Buffer.from(response));
  connection.over();
}
export const POST =
  'POST /hook?x=1 HTTP/1.1\r\nhost: app.test\r\nx-one: a\r\nX-One: b\r\ncontent-length: 7\r\n\r\n{"a":1}';
export const BAD = 'HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\noops';

/** An inspector on a free port. */
export function inspect(
  tunnels: Tunnels,
  options: Partial<Parameters<typeof startInspector>[0]> = {},
): Promise<Inspector> {
  return startInspector({
    tunnels,
    webAddr: '127.0.0.1:0',
    pages: () => Promise.reject(new Error('not built')),
    log: { info: () => {}, warn: () => {} },
    ...options,
  });
}
