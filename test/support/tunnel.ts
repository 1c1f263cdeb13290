/** `postern http|tcp|tls` as a child process, used as people and scripts use it. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { type Platform, repositoryRoot } from './platform.ts';
import { until } from './until.ts';

const main = path.join(repositoryRoot, 'packages', 'cli', 'src', 'main.ts');

export interface TunnelResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Tunnel {
  readonly child: ChildProcess;
  readonly ended: Promise<TunnelResult>;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {}) {
    this.child = spawn(process.execPath, [main, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
    });
    this.child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr }));
    });
  }

  /** In an environment where the only local server is `platform`. */
  static beside(platform: Platform, args: readonly string[]): Tunnel {
    return new Tunnel(args, {
      cwd: platform.dataDir,
      env: { HOME: platform.dataDir, XDG_CONFIG_HOME: platform.dataDir },
    });
  }

  /** The URL, once it is printed. */
  async url(): Promise<string> {
    let over = false;
    const end = (): void => {
      over = true;
    };
    this.ended.then(end, end);
    const url = await until(() => /^url=(\S+)$/m.exec(this.stdout)?.[1] ?? (over ? '' : null));
    if (url !== '') return url;
    const { stdout, stderr } = await this.ended;
    throw new Error(`ended: ${stdout}${stderr}`);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<TunnelResult> {
    this.child.kill(signal);
    return this.ended;
  }
}
