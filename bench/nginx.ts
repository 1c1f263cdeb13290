/**
 * nginx as the reference: two instances of one worker each, in a folder of their own. `inner` forwards to the upstream
 * (one hop), `outer` forwards to `inner` (two hops, as edge and agent are).
 */
import { mkdir, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { selfSigned } from '../test/support/certificates.ts';
import { Child, childrenOf, type Measured } from './children.ts';

export interface NginxPair {
  /** Ports of `inner`: to the upstream; the same behind TLS; answering by itself. */
  readonly oncePort: number;
  readonly answerPort: number;
  /** Ports of `outer`: plain all the way; with TLS to the visitor; with TLS between the two. */
  readonly twicePort: number;
  readonly twiceTlsPort: number;
  readonly twiceTlsBetweenPort: number;
  readonly inner: Measured;
  readonly outer: Measured;
  stop(): Promise<void>;
}

export async function startNginx(command: string, folder: string, upstreamPort: number): Promise<NginxPair> {
  await mkdir(folder, { recursive: true });
  const { cert, key } = await selfSigned('nginx.postern.localhost');
  await Promise.all([writeFile(path.join(folder, 'cert.pem'), cert), writeFile(path.join(folder, 'key.pem'), key)]);
  const [once, onceTls, answer, twice, twiceTls, twiceTlsBetween] = await freePorts(6);
  const inner = await startOne(command, folder, 'inner', [
    upstream('app', upstreamPort),
    proxy(plain(once), 'http://app'),
    proxy(secure(onceTls), 'http://app'),
    `server { ${plain(answer)} location / { return 200 "hello\\n"; } }`,
  ]);
  const outer = await startOne(command, folder, 'outer', [
    upstream('inner', once),
    upstream('inner_tls', onceTls),
    proxy(plain(twice), 'http://inner'),
    proxy(secure(twiceTls), 'http://inner'),
    proxy(plain(twiceTlsBetween), 'https://inner_tls'),
  ]);
  await Promise.all([once, onceTls, answer, twice, twiceTls, twiceTlsBetween].map(waitForPort));
  return {
    oncePort: once,
    answerPort: answer,
    twicePort: twice,
    twiceTlsPort: twiceTls,
    twiceTlsBetweenPort: twiceTlsBetween,
    inner: { label: 'nginx', pids: [inner.pid, ...childrenOf(inner.pid)] },
    outer: { label: 'nginx (outer)', pids: [outer.pid, ...childrenOf(outer.pid)] },
    stop: async () => {
      await Promise.all([inner.stop('SIGQUIT'), outer.stop('SIGQUIT')]);
    },
  };
}

function plain(port: number): string {
  return `listen 127.0.0.1:${port};`;
}

function secure(port: number): string {
  return `listen 127.0.0.1:${port} ssl; ssl_certificate cert.pem; ssl_certificate_key key.pem;`;
}

function proxy(listen: string, to: string): string {
  return `server { ${listen} location / { proxy_pass ${to}; } }`;
}

function upstream(name: string, port: number): string {
  return `upstream ${name} { server 127.0.0.1:${port}; keepalive 128; keepalive_requests 100000000; }`;
}

async function startOne(command: string, folder: string, name: string, servers: readonly string[]): Promise<Child> {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path tmp_${name};`,
  );
  const config = `
daemon off;
worker_processes 1;
pid ${name}.pid;
error_log stderr error;
events { worker_connections 2048; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  keepalive_requests 100000000;
  client_max_body_size 0;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_request_buffering off;
  proxy_max_temp_file_size 0;
  ${servers.join('\n  ')}
}
`;
  const file = path.join(folder, `${name}.conf`);
  await writeFile(file, config);
  return new Child(command, ['-p', folder, '-c', file, '-e', 'stderr']);
}

/** Ports that were free a moment ago: nginx cannot be asked for any free one. */
async function freePorts(count: 6): Promise<[number, number, number, number, number, number]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = net.createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = ports;
  return [a, b, c, d, e, f];
}

async function waitForPort(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = net.connect({ host: '127.0.0.1', port });
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nginx does not listen on port ${port}`);
}
