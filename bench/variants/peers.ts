/** What others are there for the same job. */
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import type { Shared } from '../postern.ts';
import { startHaproxy } from '../references/haproxy.ts';
import { startNginxStreams } from '../references/nginx.ts';
import { sshMisses, startSsh } from '../references/ssh.ts';
import { startFrp, startRathole, type Tunnel } from '../references/tunnels.ts';
import { command, Missing, type Stage } from '../stage.ts';
import type { Definition } from './variant.ts';
import { loopback } from './variant.ts';

export const PEERS: readonly Definition[] = [
  {
    id: 'haproxy-once',
    group: 'peers',
    title: 'haproxy, one hop',
    start: async (stage) => {
      const { oncePort, inner } = await haproxy(stage);
      return { target: loopback(oncePort), measured: [inner] };
    },
  },
  { id: 'nginx-stream', group: 'peers', title: 'nginx stream twice, TLS between', start: nginxStream },
  { id: 'haproxy-tcp', group: 'peers', title: 'haproxy twice over TCP, TLS between', start: haproxyBytes },
  { id: 'ssh', group: 'peers', title: 'ssh -R', start: ssh },
  { id: 'frp', group: 'peers', title: 'frp, TCP', start: frp },
  { id: 'rathole', group: 'peers', title: 'rathole, TCP, Noise', start: rathole },
  {
    id: 'cloudflared',
    group: 'peers',
    title: 'cloudflared',
    start: () => unfit('cloudflared', 'its server is a service on the internet, which is not measured beside loopback'),
  },
  {
    id: 'localtunnel',
    group: 'peers',
    title: 'localtunnel',
    start: () => unfit('lt', 'its server is no program that can be found on PATH'),
  },
];

export function haproxy(stage: Stage): ReturnType<typeof startHaproxy> {
  return stage.once(
    'haproxy',
    async () => startHaproxy(command('haproxy'), path.join(stage.folder, 'haproxy'), await stage.upstream()),
    (started) => started.stop(),
  );
}

export async function haproxyBytes(stage: Stage): Promise<Shared> {
  const { bytesTwicePort, outer, inner } = await haproxy(stage);
  return { target: loopback(bytesTwicePort), measured: [outer, inner] };
}

export async function nginxStream(stage: Stage): Promise<Shared> {
  const { twiceTlsBetweenPort, outer, inner } = await stage.once(
    'nginx-stream',
    async () => {
      const folder = path.join(stage.folder, 'nginx-stream');
      const started = await startNginxStreams(command('nginx'), folder, await stage.upstream());
      if (started === null) throw new Missing('nginx has no stream module');
      return started;
    },
    (started) => started.stop(),
  );
  return { target: loopback(twiceTlsBetweenPort), measured: [outer, inner] };
}

export async function ssh(stage: Stage): Promise<Shared> {
  const missing = sshMisses();
  if (missing !== '') throw new Missing(missing);
  const { port, server, client } = await stage.once(
    'ssh',
    async () => startSsh(path.join(stage.folder, 'ssh'), await stage.upstream()),
    (started) => started.stop(),
  );
  return { target: loopback(port), measured: [server, client] };
}

export async function frp(stage: Stage): Promise<Shared> {
  const [frps, frpc] = [command('frps'), command('frpc')];
  return ofTunnel(
    await stage.once(
      'frp',
      async () => startFrp(frps, frpc, path.join(stage.folder, 'frp'), await stage.upstream()),
      (started) => started.stop(),
    ),
  );
}

export async function rathole(stage: Stage): Promise<Shared> {
  const program = command('rathole');
  return ofTunnel(
    await stage.once(
      'rathole',
      async () => startRathole(program, noiseKeys(program), path.join(stage.folder, 'rathole'), await stage.upstream()),
      (started) => started.stop(),
    ),
  );
}

function ofTunnel({ port, server, client }: Tunnel): Shared {
  return { target: loopback(port), measured: [server, client] };
}

/** `rathole --genkey` prints each key under a line that names it. */
function noiseKeys(program: string): { readonly privateKey: string; readonly publicKey: string } {
  const text = execFileSync(program, ['--genkey'], { encoding: 'utf8' });
  const key = (kind: string): string => new RegExp(`${kind} Key:\\s+(\\S+)`, 'i').exec(text)?.[1] ?? '';
  return { privateKey: key('Private'), publicKey: key('Public') };
}

/** Named, so that nobody looks for it in vain. */
async function unfit(name: string, reason: string): Promise<Shared> {
  throw new Missing(`${command(name)}: ${reason}`);
}
