/**
 * `ssh -R` as it comes, as a reference for bytes: a server of our own on loopback with keys made for this run, and a
 * client that forwards one of its ports to the upstream.
 */
import { execFileSync } from 'node:child_process';
import { accessSync } from 'node:fs';
import { chmod, copyFile, mkdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { Child, familyOf, findCommand, type Measured } from '../children.ts';
import { freePorts, portAt, waitForPort } from './ports.ts';

export interface SshForward {
  readonly port: number;
  readonly server: Measured;
  readonly client: Measured;
  stop(): Promise<void>;
}

/** Where a server started by the system separates its privileges; it refuses to start without. */
const SEPARATION = '/run/sshd';

/** Why there can be none here; '' when there can. */
export function sshMisses(): string {
  for (const name of ['ssh', 'sshd', 'ssh-keygen']) if (findCommand(name) === null) return `${name} is not installed`;
  try {
    accessSync(SEPARATION);
  } catch {
    return process.getuid?.() === 0 ? `sshd wants the folder ${SEPARATION}` : '';
  }
  return '';
}

export async function startSsh(folder: string, upstreamPort: number): Promise<SshForward> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const [hostKey, userKey] = [path.join(folder, 'host'), path.join(folder, 'user')];
  for (const key of [hostKey, userKey])
    execFileSync(findCommand('ssh-keygen') ?? '', ['-q', '-t', 'ed25519', '-N', '', '-f', key], { stdio: 'ignore' });
  const allowed = path.join(folder, 'authorized_keys');
  await copyFile(`${userKey}.pub`, allowed);
  await chmod(allowed, 0o600);
  const ports = await freePorts(2);
  const [serverPort, port] = [portAt(ports, 0), portAt(ports, 1)];
  const set = (options: Readonly<Record<string, string>>): string[] =>
    Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const server = new Child(findCommand('sshd') ?? 'sshd', [
    '-D',
    '-e',
    '-f',
    '/dev/null',
    '-h',
    hostKey,
    ...set({
      ListenAddress: `127.0.0.1:${serverPort}`,
      AuthorizedKeysFile: allowed,
      // The folder of this run lies in one that everybody may write to.
      StrictModes: 'no',
      UsePAM: 'no',
      PidFile: 'none',
      PasswordAuthentication: 'no',
      // The look whether it listens is no handshake, and it would say so.
      LogLevel: 'QUIET',
    }),
  ]);
  await waitForPort(serverPort);
  const client = new Child('ssh', [
    '-N',
    '-F',
    '/dev/null',
    '-i',
    userKey,
    '-p',
    String(serverPort),
    '-R',
    `127.0.0.1:${port}:127.0.0.1:${upstreamPort}`,
    ...set({
      StrictHostKeyChecking: 'no',
      UserKnownHostsFile: '/dev/null',
      IdentitiesOnly: 'yes',
      ExitOnForwardFailure: 'yes',
      BatchMode: 'yes',
      LogLevel: 'ERROR',
    }),
    `${os.userInfo().username}@127.0.0.1`,
  ]);
  const stop = async (): Promise<void> => {
    await client.stop();
    await server.stop();
  };
  try {
    await waitForPort(port);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    server: { label: 'sshd', pids: familyOf(server.pid) },
    client: { label: 'ssh', pids: [client.pid] },
    stop,
  };
}
