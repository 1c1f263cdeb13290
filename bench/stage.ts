/** Where the measured parts stand: each is started when the first variant asks for it, and all end together. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { repositoryRoot } from '../test/support/platform.ts';
import { Child, findCommand } from './children.ts';
import type { BenchOptions } from './options.ts';
import { Postern } from './postern.ts';
import { type NginxPair, startNginx } from './references/nginx.ts';

/** What a request costs is asked, however busy the machine is; who is refused is another question (overload.ts). */
export const PATIENT = '--arrival-timeout=0';

/** Why something cannot be measured here; the run goes on without it. */
export class Missing extends Error {}

export class Stage {
  readonly folder: string;
  readonly options: BenchOptions;
  readonly #stops: (() => Promise<void>)[] = [];
  readonly #started = new Map<string, Promise<unknown>>();

  private constructor(folder: string, options: BenchOptions) {
    this.folder = folder;
    this.options = options;
  }

  static async open(options: BenchOptions): Promise<Stage> {
    if (options.profile !== '') await mkdir(options.profile, { recursive: true });
    return new Stage(await mkdtemp(path.join(tmpdir(), 'postern-bench-')), options);
  }

  /** Starts a part once, whoever asks for it. @param stop ends it, later than what was started after it */
  once<T>(name: string, start: () => Promise<T>, stop: (part: T) => Promise<void> | void): Promise<T> {
    const known = this.#started.get(name);
    // The name stands for the type: every name is used in one place.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    if (known !== undefined) return known as Promise<T>;
    const started = start().then((part) => {
      this.#stops.push(async () => stop(part));
      return part;
    });
    this.#started.set(name, started);
    return started;
  }

  /** Port of the service behind everything. */
  upstream(): Promise<number> {
    return this.part('upstream', []).then(({ port }) => port);
  }

  /** A script of `parts/` that prints its port. */
  async part(name: string, args: readonly string[]): Promise<{ readonly port: number; readonly pid: number }> {
    const child = await this.once(
      name,
      async () => {
        const started = Child.part(name, args.join(' '));
        return { started, port: Number(await started.line()) };
      },
      ({ started }) => started.stop(),
    );
    return { port: child.port, pid: child.started.pid };
  }

  nginx(): Promise<NginxPair> {
    return this.once(
      'nginx',
      async () => startNginx(command('nginx'), path.join(this.folder, 'nginx'), await this.upstream()),
      (nginx) => nginx.stop(),
    );
  }

  postern(): Promise<Postern> {
    const { profile } = this.options;
    const nodeFlags = profile === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${path.resolve(profile)}`];
    return this.once(
      'postern',
      async () =>
        Postern.start({ upstreamPort: await this.upstream(), nodeFlags, root: repositoryRoot, args: [PATIENT] }),
      (postern) => postern.stop(),
    );
  }

  async close(): Promise<void> {
    for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) await stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** @throws Missing */
export function command(name: string): string {
  const found = findCommand(name);
  if (found === null) throw new Missing(`${name} is not installed`);
  return found;
}
