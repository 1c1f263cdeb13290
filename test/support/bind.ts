/** BIND, as it is on the machine (Debian: bind9), with one zone that takes updates of one key. */
import { type ChildProcess, spawn } from 'node:child_process';
import { access, chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Resolver } from 'node:dns/promises';
import { freePort } from '@postern/edge/testing/free-port';
import { until } from './until.ts';

const PLACES = ['/usr/sbin/named', '/usr/local/sbin/named', '/usr/bin/named'];

/** null = there is none here, which was said; not every machine that tests has it. */
export async function findBind(): Promise<string | null> {
  for (const file of PLACES) {
    const there = await access(file).then(
      () => true,
      () => false,
    );
    if (there) return file;
  }
  console.warn('skipped: BIND: named is not on this machine (Debian: bind9)');
  return null;
}

export interface BindOptions {
  readonly zone: string;
  readonly key: { readonly name: string; readonly algorithm: string; readonly secret: string };
}

export class Bind {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #output: () => string;

  private constructor(port: number, child: ChildProcess, folder: string, output: () => string) {
    this.port = port;
    this.#child = child;
    this.#folder = folder;
    this.#output = output;
  }

  static async start(program: string, { zone, key }: BindOptions): Promise<Bind> {
    const folder = await mkdtemp(path.join(tmpdir(), 'postern-bind-'));
    await chmod(folder, 0o777);
    const port = await freePort();
    const zoneFile = path.join(folder, 'zone.db');
    await writeFile(
      zoneFile,
      `$TTL 1\n@ IN SOA ns.${zone}. me.${zone}. 1 3600 600 86400 1\n@ IN NS ns.${zone}.\nns IN A 127.0.0.1\n`,
    );
    const config = path.join(folder, 'named.conf');
    await writeFile(
      config,
      `key "${key.name}" { algorithm ${key.algorithm}; secret "${key.secret}"; };
options {
  directory "${folder}"; pid-file none; session-keyfile none; managed-keys-directory "${folder}";
  listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };
  recursion no; dnssec-validation no; notify no;
};
controls { };
zone "${zone}" { type primary; file "${zoneFile}"; update-policy { grant ${key.name} subdomain _acme-challenge.${zone} TXT; }; };
`,
    );
    const child = spawn(program, ['-g', '-c', config, '-n', '1'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let output = '';
    child.stderr.on('data', (part: Buffer) => (output = (output + part.toString()).slice(-20_000)));
    const bind = new Bind(port, child, folder, () => output);
    try {
      await until(async () => {
        if (child.exitCode !== null) throw new Error(output);
        const resolver = new Resolver({ timeout: 500, tries: 1 });
        resolver.setServers([`127.0.0.1:${port}`]);
        return (await resolver.resolveNs(zone)).length > 0;
      });
    } catch (error) {
      await bind.stop();
      throw error;
    }
    return bind;
  }

  /** What it logged, for messages of failed tests. */
  get output(): string {
    return this.#output();
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
