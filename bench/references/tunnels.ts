/**
 * Other tunnels, where their programs are on PATH: server and client on loopback, TLS or their own encryption between
 * the two as Postern has it, one TCP port that leads to the upstream.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Child, type Measured } from '../children.ts';
import { freePorts, portAt, waitForPort } from './ports.ts';

export interface Tunnel {
  readonly port: number;
  readonly server: Measured;
  readonly client: Measured;
  stop(): Promise<void>;
}

interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly config: string;
}

const TOKEN = 'bench';

/** frp encrypts between its two by TLS from version 0.50 on. */
export function startFrp(frps: string, frpc: string, folder: string, upstreamPort: number): Promise<Tunnel> {
  return startTunnel('frp', folder, (control, port) => ({
    server: {
      command: frps,
      args: ['-c'],
      config: `bindAddr = "127.0.0.1"\nbindPort = ${control}\nauth.token = "${TOKEN}"\nlog.level = "error"\n`,
    },
    client: {
      command: frpc,
      args: ['-c'],
      config: `serverAddr = "127.0.0.1"\nserverPort = ${control}\nauth.token = "${TOKEN}"\nlog.level = "error"
[[proxies]]\nname = "bench"\ntype = "tcp"\nlocalIP = "127.0.0.1"\nlocalPort = ${upstreamPort}\nremotePort = ${port}\n`,
    },
  }));
}

/** rathole with its Noise transport, whose keys it can make for itself; without, it would be in clear. */
export function startRathole(
  command: string,
  keys: { readonly privateKey: string; readonly publicKey: string },
  folder: string,
  upstreamPort: number,
): Promise<Tunnel> {
  return startTunnel('rathole', folder, (control, port) => ({
    server: {
      command,
      args: ['--server'],
      config: `[server]\nbind_addr = "127.0.0.1:${control}"\ndefault_token = "${TOKEN}"
[server.transport]\ntype = "noise"\n[server.transport.noise]\nlocal_private_key = "${keys.privateKey}"
[server.services.bench]\nbind_addr = "127.0.0.1:${port}"\n`,
    },
    client: {
      command,
      args: ['--client'],
      config: `[client]\nremote_addr = "127.0.0.1:${control}"\ndefault_token = "${TOKEN}"
[client.transport]\ntype = "noise"\n[client.transport.noise]\nremote_public_key = "${keys.publicKey}"
[client.services.bench]\nlocal_addr = "127.0.0.1:${upstreamPort}"\n`,
    },
  }));
}

async function startTunnel(
  name: string,
  folder: string,
  programs: (control: number, port: number) => { readonly server: Program; readonly client: Program },
): Promise<Tunnel> {
  await mkdir(folder, { recursive: true });
  const ports = await freePorts(2);
  const [control, port] = [portAt(ports, 0), portAt(ports, 1)];
  const { server, client } = programs(control, port);
  const start = async (role: string, { command, args, config }: Program): Promise<Child> => {
    const file = path.join(folder, `${role}.toml`);
    await writeFile(file, config);
    return new Child(command, [...args, file]);
  };
  const first = await start('server', server);
  const started = [first];
  const stop = async (): Promise<void> => {
    for (const child of started.toReversed()) await child.stop();
  };
  try {
    await waitForPort(control);
    const second = await start('client', client);
    started.push(second);
    await waitForPort(port);
    return {
      port,
      server: { label: `${name} server`, pids: [first.pid] },
      client: { label: `${name} client`, pids: [second.pid] },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
