/** Frameworks as their users run them, each behind `postern http`. */
import { copyFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CLIENTS, type Client } from '../harness/client.ts';
import { goProgram } from '../harness/go.ts';
import { REACHED } from '../harness/page.ts';
import type { Command } from '../harness/program.ts';
import { pythonProgram } from '../harness/python.ts';
import { rustProgram } from '../harness/rust.ts';
import type { Report } from '../harness/report.ts';
import { built, runTool, which } from '../harness/toolchain.ts';
import { World } from '../harness/world.ts';
import {
  AXUM,
  type Check,
  CLOSE_CODE,
  DJANGO,
  EVENTS,
  FASTAPI_SEEN,
  FLASK,
  HTTPUTIL,
  jupyter,
  LEAVING,
  NEXT,
  SOCKET,
  SPRING,
  STREAMLIT,
  vite,
  VITE_UNTOLD,
} from './checks.ts';
import { Site } from './site.ts';

const HERE = path.join(CLIENTS, 'frameworks');
const JUPYTER_TOKEN = 'of-a-test';

interface Framework {
  readonly name: string;
  readonly tools: readonly string[];
  /** Builds what it needs (kept between runs). */
  prepare(): Promise<Prepared>;
  /** What is asked until it serves. */
  readonly ready: string;
  /** The status of that, 200 by default. */
  readonly answers?: number;
  checks(folder: string): readonly Check[];
}

interface Prepared {
  /** Of this run; goes with it. */
  readonly folder: string;
  /** How its server starts. */
  readonly start: (port: number, host: string) => Command;
}

async function prepared(start: (folder: string) => Prepared['start']): Promise<Prepared> {
  const folder = await mkdtemp(path.join(tmpdir(), 'postern-framework-'));
  return { folder, start: start(folder) };
}

const FRAMEWORKS: readonly Framework[] = [
  {
    name: 'FastAPI',
    tools: ['python3'],
    prepare: async () => {
      const run = await python();
      const proxy = ['--proxy-headers', '--forwarded-allow-ips=127.0.0.1'];
      return prepared(() => (port) => run('uvicorn', ['fastapi_app:app', `--port=${port}`, ...proxy]));
    },
    ready: '/seen',
    checks: () => [FASTAPI_SEEN, EVENTS, LEAVING, SOCKET, CLOSE_CODE],
  },
  {
    name: 'Django',
    tools: ['python3'],
    prepare: async () => {
      const run = await python();
      return prepared(() => (port) => run('', ['django_app.py', 'runserver', `127.0.0.1:${port}`, '--noreload']));
    },
    ready: '/form/',
    checks: () => DJANGO,
  },
  {
    name: 'Flask',
    tools: ['python3'],
    prepare: async () => {
      const run = await python();
      return prepared(() => (port) => run('flask', ['--app=flask_app', 'run', `--port=${port}`]));
    },
    ready: '/seen',
    checks: () => FLASK,
  },
  {
    name: 'Jupyter',
    tools: ['python3'],
    prepare: async () => {
      const run = await python();
      const options = {
        'ServerApp.allow_remote_access': 'True',
        'ServerApp.allow_root': 'True',
        'ServerApp.open_browser': 'False',
        'IdentityProvider.token': JUPYTER_TOKEN,
      };
      const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
      return prepared((folder) => {
        const own = [...flags, `--ServerApp.root_dir=${folder}`];
        return (port) => run('jupyter_server', [`--ServerApp.port=${port}`, ...own], { HOME: folder });
      });
    },
    ready: `/api/status?token=${JUPYTER_TOKEN}`,
    checks: () => [jupyter(JUPYTER_TOKEN)],
  },
  {
    name: 'Streamlit',
    tools: ['python3'],
    prepare: async () => {
      const run = await python();
      const options = ['--server.headless=true', '--browser.gatherUsageStats=false', '--server.fileWatcherType=none'];
      return prepared((folder) => (port, host) => {
        const own = [`--server.port=${port}`, `--browser.serverAddress=${host}`];
        return run('streamlit', ['run', 'streamlit_app.py', ...own, ...options], { HOME: folder });
      });
    },
    ready: '/_stcore/health',
    checks: () => STREAMLIT,
  },
  {
    name: 'net/http/httputil',
    tools: ['go'],
    prepare: async () => {
      const program = await goProgram(path.join('frameworks', 'go-httputil'));
      return prepared(() => (port) => ({ ...program, args: [String(port)] }));
    },
    ready: '/seen',
    checks: () => HTTPUTIL,
  },
  {
    name: 'axum',
    tools: ['cargo'],
    prepare: async () => {
      const program = await rustProgram(path.join('frameworks', 'rust-axum'), 'rust-axum', ['rust-axum']);
      return prepared(() => (port) => ({ ...program, args: [String(port)] }));
    },
    ready: '/seen',
    checks: () => AXUM,
  },
  {
    name: 'Spring Boot',
    tools: ['mvn', 'java'],
    prepare: async () => {
      const jar = await springJar();
      return prepared(() => (port) => ({
        command: 'java',
        args: ['-jar', jar, `--server.port=${port}`, '--server.forward-headers-strategy=native'],
      }));
    },
    ready: '/seen',
    checks: () => SPRING,
  },
  {
    name: 'Vite',
    tools: ['npm'],
    prepare: viteApp,
    ready: '/',
    checks: vite,
  },
  {
    name: 'Vite that was not told of the name',
    tools: ['npm'],
    prepare: async () => {
      const app = await viteApp();
      await rm(path.join(app.folder, 'vite.config.js'));
      return app;
    },
    ready: '/',
    answers: 403,
    checks: () => [VITE_UNTOLD],
  },
  {
    name: 'Next',
    tools: ['npm'],
    prepare: () => nodeApp('next-app', 'next/dist/bin/next', (port) => ['dev', `--port=${port}`]),
    ready: '/',
    checks: () => NEXT,
  },
];

export const FRAMEWORK_CLIENTS: readonly Client[] = FRAMEWORKS.map((framework) => ({
  language: 'frameworks',
  name: framework.name,
  tools: framework.tools,
  run: async (report) => {
    const { folder, start } = await framework.prepare();
    const world = await World.start();
    try {
      const site = await reached(report, world, framework, start);
      if (site === null) return;
      for (const { name, run } of framework.checks(folder)) await report.run(framework.name, name, () => run(site));
      await site.stop();
    } finally {
      await world.dispose();
      // Processes of the server's own that were killed may be writing while it goes.
      await rm(folder, { recursive: true, force: true, maxRetries: 20 });
    }
  },
}));

async function reached(
  report: Report,
  world: World,
  { name, ready, answers = 200 }: Framework,
  start: Prepared['start'],
): Promise<Site | null> {
  let site: Site | null = null;
  await report.run(name, REACHED, async () => {
    site = await Site.start(world, start, { path: ready, status: answers });
  });
  return site;
}

/** Runs a module, or a file of the folder, with all of the packages that the apps need. */
async function python(): Promise<
  (module: string, args: readonly string[], env?: Readonly<Record<string, string>>) => Command
> {
  const { command } = await pythonProgram(path.join('frameworks', 'python-frameworks'));
  const env = { PYTHONDONTWRITEBYTECODE: '1' };
  return (module, args, more = {}) => ({
    command,
    args: [...(module === '' ? [] : ['-m', module]), ...args],
    cwd: path.join(HERE, 'python-frameworks'),
    env: { ...env, ...more },
  });
}

async function springJar(): Promise<string> {
  const source = path.join(HERE, 'spring');
  const version = await runTool({ command: 'java', args: ['--version'] });
  const made = await built('spring', [source, version], async (into) => {
    await cp(source, path.join(into, 'source'), { recursive: true });
    await runTool({ command: 'mvn', args: ['-q', '-B', 'package'], cwd: path.join(into, 'source') });
    await copyFile(path.join(into, 'source', 'target', 'site.jar'), path.join(into, 'site.jar'));
    await rm(path.join(into, 'source'), { recursive: true });
  });
  return path.join(made, 'site.jar');
}

/** The packages of both apps. */
function nodePackages(): Promise<string> {
  const files = ['package.json', 'package-lock.json'].map((name) => path.join(HERE, 'node', name));
  return built('frameworks-node', files, async (into) => {
    for (const file of files) await copyFile(file, path.join(into, path.basename(file)));
    await runTool({ command: which('npm'), args: ['ci', '--ignore-scripts', '--loglevel=error'], cwd: into });
  });
}

function viteApp(): Promise<Prepared> {
  return nodeApp('vite-app', 'vite/bin/vite.js', (port) => [`--port=${port}`, '--host=127.0.0.1']);
}

/** A copy of the app for this run, below its packages. */
async function nodeApp(app: string, program: string, args: (port: number) => readonly string[]): Promise<Prepared> {
  const made = await nodePackages();
  const folder = await mkdtemp(path.join(made, 'app-'));
  await cp(path.join(HERE, 'node', app), folder, { recursive: true });
  return {
    folder,
    start: (port) => ({
      command: process.execPath,
      args: [path.join(made, 'node_modules', program), ...args(port)],
      cwd: folder,
      env: { NEXT_TELEMETRY_DISABLED: '1' },
    }),
  };
}
