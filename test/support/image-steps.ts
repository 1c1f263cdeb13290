/**
 * The steps of a Dockerfile, run in a root folder of their own where no engine is: a mount and network namespace without
 * a way out, the programs of this machine in the place of the base image, with this Node as its Node. What asks a
 * registry (`npm ci`) is left out; the clone's node_modules stand in for it.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';

interface Step {
  readonly word: string;
  readonly rest: string;
}

/** What a container of the image would be started with. */
export interface Built {
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly user: string;
  readonly folder: string;
  readonly command: readonly string[];
  readonly health: readonly string[];
}

/** Why steps cannot be run here, or ''. */
export function imageProblem(): string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'root folders of their own need root on Linux';
  const tried = spawnSync('unshare', ['-mn', 'sh', '-c', 'mount -t tmpfs none /mnt && ip link set lo up'], {
    encoding: 'utf8',
  });
  return tried.status === 0 ? '' : `unshare -mn: ${(tried.error?.message ?? tried.stderr).trim()}`;
}

const USERS = { root: '0', node: '1000' } as const;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export class ImageSteps {
  readonly #repository: string;
  readonly #place: string;
  readonly #holder: ChildProcess;

  private constructor(repository: string, place: string, holder: ChildProcess) {
    this.#repository = repository;
    this.#place = place;
    this.#holder = holder;
  }

  static async open(repository: string): Promise<ImageSteps> {
    const place = await mkdtemp(path.join(tmpdir(), 'postern-image-'));
    const holder = spawn('unshare', ['-mn', 'sh', '-c', 'ip link set lo up && echo up && exec sleep infinity'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (holder.stdout !== null) await once(holder.stdout, 'data');
    return new ImageSteps(repository, place, holder);
  }

  /** Runs all steps. @returns the last stage */
  async build(dockerfile: string): Promise<Built> {
    const stages = new Map<string, Stage>();
    let stage: Stage | null = null;
    for (const { word, rest } of stepsOf(dockerfile)) {
      if (word === 'FROM') {
        const [, name = String(stages.size)] = / AS (\S+)$/.exec(rest) ?? [];
        stage = new Stage(await this.#base(name));
        stages.set(name, stage);
      } else if (stage === null) throw new Error(`${word} comes before FROM`);
      else await this.#step(stage, stages, word, rest);
    }
    if (stage === null) throw new Error('there is no FROM');
    return stage;
  }

  /** A program in the image, as its user; `exec` all the way, so that signals reach it. */
  spawn(built: Built, command: readonly string[]): ChildProcess {
    return spawn('nsenter', this.#inside(built, command), { stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** Its exit code. */
  run(built: Built, command: readonly string[]): { readonly status: number | null; readonly output: string } {
    const { status, stdout, stderr } = spawnSync('nsenter', this.#inside(built, command), { encoding: 'utf8' });
    return { status, output: `${stdout}${stderr}` };
  }

  async close(): Promise<void> {
    const ended = once(this.#holder, 'exit');
    // Its mounts go with it: what is below the folder then is ours.
    this.#holder.kill();
    await ended;
    await rm(this.#place, { recursive: true, force: true });
  }

  #inside({ root, env, user, folder }: Built, command: readonly string[]): string[] {
    const id = Object.entries(USERS).find(([name]) => name === user)?.[1] ?? user;
    const variables = Object.entries({ PATH, ...env }).map(([name, value]) => `${name}=${value}`);
    const enter = ['-m', '-n', '-t', String(this.#holder.pid), '--'];
    const go = ['/bin/sh', '-c', 'cd "$0" && exec "$@"', folder, ...command];
    return [...enter, 'chroot', `--userspec=${id}:${id}`, root, 'env', '-i', ...variables, ...go];
  }

  #mount(...args: readonly string[]): void {
    execFileSync('nsenter', ['-m', '-t', String(this.#holder.pid), '--', 'mount', ...args]);
  }

  /** What the official image of Node has, as far as the steps use it. */
  async #base(name: string): Promise<string> {
    const root = path.join(this.#place, name);
    const local = path.join(root, 'own', 'local');
    for (const folder of [
      'usr',
      'proc',
      'dev',
      'etc',
      'tmp',
      'var/lib',
      'own/local/bin',
      'own/local/lib/node_modules/npm',
    ])
      await mkdir(path.join(root, folder), { recursive: true });
    for (const link of ['bin', 'sbin', 'lib', 'lib64']) await symlink(`usr/${link}`, path.join(root, link));
    await writeFile(
      path.join(root, 'etc', 'passwd'),
      'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n',
    );
    await writeFile(path.join(root, 'etc', 'group'), 'root:x:0:\nnode:x:1000:\n');
    await cp(process.execPath, path.join(local, 'bin', 'node'));
    await symlink('../lib/node_modules/npm/bin/npm-cli.js', path.join(local, 'bin', 'npm'));
    const npm = path.resolve(await realpath(execFileSync('which', ['npm'], { encoding: 'utf8' }).trim()), '..', '..');
    for (const folder of ['usr', 'proc', 'dev']) this.#mount('--rbind', `/${folder}`, path.join(root, folder));
    this.#mount('--bind', local, path.join(root, 'usr', 'local'));
    this.#mount('--bind', npm, path.join(root, 'usr', 'local', 'lib', 'node_modules', 'npm'));
    return root;
  }

  async #step(stage: Stage, stages: ReadonlyMap<string, Stage>, word: string, rest: string): Promise<void> {
    switch (word) {
      case 'WORKDIR':
        stage.folder = rest;
        await mkdir(path.join(stage.root, rest), { recursive: true });
        return;
      case 'COPY':
        return this.#copy(stage, stages, rest);
      case 'RUN':
        return rest.startsWith('npm ci') ? this.#dependencies(stage) : this.#run(stage, rest);
      case 'ENV':
        for (const [, name = '', value = ''] of rest.matchAll(/(\S+?)=(\S+)/g)) stage.env[name] = value;
        return;
      case 'USER':
        stage.user = rest;
        return;
      case 'HEALTHCHECK':
        stage.health = JSON.parse(rest.slice(rest.indexOf(' CMD ') + ' CMD '.length)) as string[];
        return;
      case 'ENTRYPOINT':
        stage.entrypoint = JSON.parse(rest) as string[];
        return;
      case 'CMD':
        stage.args = JSON.parse(rest) as string[];
        return;
      case 'EXPOSE':
      case 'STOPSIGNAL':
      case 'VOLUME':
        return;
      default:
        throw new Error(`${word}: this step is not known here`);
    }
  }

  async #copy(stage: Stage, stages: ReadonlyMap<string, Stage>, rest: string): Promise<void> {
    const [, from, source = '', target = ''] = /^(?:--from=(\S+) )?(\S+) (\S+)$/.exec(rest) ?? [];
    const there = path.resolve(stage.root, `.${path.resolve(stage.folder, target)}`);
    if (from !== undefined) {
      await cp(path.join(stages.get(from)?.root ?? '', source), there, { recursive: true });
      return;
    }
    const ignored = (await readFile(path.join(this.#repository, '.dockerignore'), 'utf8')).trim().split('\n');
    const here = path.join(this.#repository, source);
    const filter = (file: string): boolean => !ignored.some((pattern) => matches(path.relative(here, file), pattern));
    await cp(here, there, { recursive: true, preserveTimestamps: true, filter });
  }

  /** Those of the clone, which nobody may change from in there. */
  async #dependencies(stage: Stage): Promise<void> {
    const all = ['.', ...(await readdir(path.join(this.#repository, 'packages'))).map((name) => `packages/${name}`)];
    for (const folder of all) {
      const here = path.join(this.#repository, folder, 'node_modules');
      if (!existsSync(here)) continue;
      const there = path.join(stage.root, stage.folder, folder, 'node_modules');
      await mkdir(there);
      this.#mount('--bind', '-o', 'ro', here, there);
    }
    await mkdir(path.join(this.#repository, 'node_modules', '.cache'), { recursive: true });
    const cache = path.join(this.#place, 'cache');
    await mkdir(cache);
    this.#mount('--bind', cache, path.join(stage.root, stage.folder, 'node_modules', '.cache'));
  }

  #run(stage: Stage, command: string): void {
    const { status, output } = this.run(stage, ['/bin/sh', '-c', command]);
    if (status !== 0) throw new Error(`RUN ${command}\n${output}`);
  }
}

class Stage implements Built {
  readonly root: string;
  readonly env: Record<string, string> = {};
  user = 'root';
  folder = '/';
  health: readonly string[] = [];
  entrypoint: readonly string[] = [];
  args: readonly string[] = [];

  constructor(root: string) {
    this.root = root;
  }

  get command(): readonly string[] {
    return [...this.entrypoint, ...this.args];
  }
}

function stepsOf(dockerfile: string): readonly Step[] {
  return dockerfile
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, word = '', rest = ''] = /^([A-Z]+) +(.*)$/.exec(line) ?? [];
      return { word, rest };
    });
}

/** As far as our own file goes: a name at the top, `**` before it anywhere, `*` for a part of it. */
function matches(file: string, pattern: string): boolean {
  const anywhere = pattern.startsWith('**/');
  const name = anywhere ? pattern.slice('**/'.length) : pattern;
  const parts = file.split(path.sep);
  const looked = anywhere ? parts : parts.slice(0, 1);
  return looked.some((part) => (name.startsWith('*') ? part.endsWith(name.slice(1)) : part === name));
}
