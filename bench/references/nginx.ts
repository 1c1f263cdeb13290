/**
 * nginx as the reference: two instances of one worker each, in a folder of their own. `inner` forwards to the upstream
 * (one hop), `outer` forwards to `inner` (two hops, as edge and agent are).
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { selfSigned } from '../../test/support/certificates.ts';
import { until } from '../../test/support/until.ts';
import { Child, childrenOf, findFile, type Measured } from '../children.ts';
import { freePorts, portAt, waitForPort } from './ports.ts';

export interface NginxPair {
  /** Ports of `inner`: to the upstream; answering by itself. */
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

/** The same for bytes. */
export interface NginxStreams {
  readonly twiceTlsBetweenPort: number;
  readonly inner: Measured;
  readonly outer: Measured;
  stop(): Promise<void>;
}

export async function startNginx(command: string, folder: string, upstreamPort: number): Promise<NginxPair> {
  await writeIdentity(folder);
  const ports = await freePorts(6);
  const [once, onceTls, answer] = [portAt(ports, 0), portAt(ports, 1), portAt(ports, 2)];
  const [twice, twiceTls, twiceTlsBetween] = [portAt(ports, 3), portAt(ports, 4), portAt(ports, 5)];
  const inner = await startOne(command, folder, 'inner', [
    http('inner', [
      upstream('app', upstreamPort),
      proxy(plain(once), 'http://app'),
      proxy(secure(onceTls), 'http://app'),
      `server { ${plain(answer)} location / { return 200 "hello\\n"; } }`,
    ]),
  ]);
  const outer = await startOne(command, folder, 'outer', [
    http('outer', [
      upstream('inner', once),
      upstream('inner_tls', onceTls),
      proxy(plain(twice), 'http://inner'),
      proxy(secure(twiceTls), 'http://inner'),
      proxy(plain(twiceTlsBetween), 'https://inner_tls'),
    ]),
  ]);
  await Promise.all(ports.map(waitForPort));
  return {
    oncePort: once,
    answerPort: answer,
    twicePort: twice,
    twiceTlsPort: twiceTls,
    twiceTlsBetweenPort: twiceTlsBetween,
    ...(await pair(inner, outer)),
  };
}

/** @returns null where nginx has no stream module */
export async function startNginxStreams(
  command: string,
  folder: string,
  upstreamPort: number,
): Promise<NginxStreams | null> {
  const module = findFile('ngx_stream_module.so', MODULES);
  if (module === null) return null;
  await writeIdentity(folder);
  const ports = await freePorts(2);
  const [innerPort, outerPort] = [portAt(ports, 0), portAt(ports, 1)];
  const load = `load_module ${module};`;
  const certificate = 'ssl_certificate cert.pem; ssl_certificate_key key.pem;';
  const inner = await startOne(command, folder, 'inner', [
    load,
    `stream { server { listen 127.0.0.1:${innerPort} ssl; ${certificate} proxy_pass 127.0.0.1:${upstreamPort}; } }`,
  ]);
  const outer = await startOne(command, folder, 'outer', [
    load,
    `stream { server { ${plain(outerPort)} proxy_ssl on; proxy_pass 127.0.0.1:${innerPort}; } }`,
  ]);
  await Promise.all(ports.map(waitForPort));
  return { twiceTlsBetweenPort: outerPort, ...(await pair(inner, outer)) };
}

const MODULES = ['/usr/lib/nginx/modules', '/usr/lib64/nginx/modules', '/usr/share/nginx/modules'];

async function pair(inner: Child, outer: Child): Promise<Pick<NginxStreams, 'inner' | 'outer' | 'stop'>> {
  return {
    inner: await measured('nginx', inner),
    outer: await measured('nginx (outer)', outer),
    stop: async () => {
      await Promise.all([inner.stop(), outer.stop()]);
    },
  };
}

/** The master listens before it has a worker, and it is the worker whose time counts. */
async function measured(label: string, { pid }: Child): Promise<Measured> {
  const workers = await until(() => {
    const children = childrenOf(pid);
    return children.length > 0 ? children : null;
  });
  return { label, pids: [pid, ...workers] };
}

async function writeIdentity(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { cert, key } = await selfSigned('nginx.postern.localhost');
  await Promise.all([writeFile(path.join(folder, 'cert.pem'), cert), writeFile(path.join(folder, 'key.pem'), key)]);
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

function http(name: string, servers: readonly string[]): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path tmp_${name};`,
  );
  return `http {
  access_log off;
  ${temporary.join('\n  ')}
  keepalive_requests 100000000;
  client_max_body_size 0;
  proxy_http_version 1.1;
  map $http_upgrade $onward {
    default upgrade;
    "" "";
  }
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection $onward;
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_request_buffering off;
  proxy_max_temp_file_size 0;
  ${servers.join('\n  ')}
}`;
}

/** @param blocks what stands beside the settings that all have; modules first */
async function startOne(command: string, folder: string, name: string, blocks: readonly string[]): Promise<Child> {
  const config = `
daemon off;
worker_processes 1;
pid ${name}.pid;
error_log stderr error;
events { worker_connections 2048; }
`;
  const file = path.join(folder, `${name}.conf`);
  const modules = blocks.filter((block) => block.startsWith('load_module'));
  const others = blocks.filter((block) => !block.startsWith('load_module'));
  await writeFile(file, [...modules, config, ...others].join('\n'));
  return new Child(command, ['-p', folder, '-c', file, '-e', 'stderr']);
}
