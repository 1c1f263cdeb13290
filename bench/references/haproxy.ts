/** haproxy as a reference: one hop over HTTP; and bytes twice, TLS between the two. One thread each, as nginx has. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { selfSigned } from '../../test/support/certificates.ts';
import { Child, type Measured } from '../children.ts';
import { freePorts, portAt, waitForPort } from './ports.ts';

export interface Haproxy {
  readonly oncePort: number;
  readonly bytesTwicePort: number;
  readonly inner: Measured;
  readonly outer: Measured;
  stop(): Promise<void>;
}

export async function startHaproxy(command: string, folder: string, upstreamPort: number): Promise<Haproxy> {
  await mkdir(folder, { recursive: true });
  const { cert, key } = await selfSigned('haproxy.postern.localhost');
  const identity = path.join(folder, 'identity.pem');
  await writeFile(identity, `${cert.toString()}\n${key.toString()}`);
  const ports = await freePorts(3);
  const [once, between, outerPort] = [portAt(ports, 0), portAt(ports, 1), portAt(ports, 2)];
  const inner = await startOne(command, path.join(folder, 'inner.cfg'), [
    way('once', 'http', `127.0.0.1:${once}`, `127.0.0.1:${upstreamPort}`),
    way('between', 'tcp', `127.0.0.1:${between} ssl crt ${identity}`, `127.0.0.1:${upstreamPort}`),
  ]);
  const outer = await startOne(command, path.join(folder, 'outer.cfg'), [
    way('outer', 'tcp', `127.0.0.1:${outerPort}`, `127.0.0.1:${between} ssl verify none`),
  ]);
  await Promise.all(ports.map(waitForPort));
  return {
    oncePort: once,
    bytesTwicePort: outerPort,
    inner: { label: 'haproxy', pids: [inner.pid] },
    outer: { label: 'haproxy (outer)', pids: [outer.pid] },
    stop: async () => {
      await Promise.all([inner.stop(), outer.stop()]);
    },
  };
}

function way(name: string, mode: 'http' | 'tcp', listen: string, to: string): string {
  const reuse = mode === 'http' ? '\n  http-reuse always' : '';
  return `listen ${name}\n  mode ${mode}\n  bind ${listen}${reuse}\n  server next ${to}`;
}

async function startOne(command: string, file: string, ways: readonly string[]): Promise<Child> {
  const defaults =
    'global\n  nbthread 1\n  maxconn 4096\ndefaults\n  timeout connect 5s\n  timeout client 1m\n  timeout server 1m';
  await writeFile(file, `${[defaults, ...ways].join('\n')}\n`);
  return new Child(command, ['-db', '-q', '-f', file]);
}
