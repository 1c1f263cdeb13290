/** Wrappers of the v3 agent, with our command in the place of its binary (agent-and-ux.md §7). */
import { chmod, copyFile, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mainOf, repositoryRoot, splitAddress } from '../../support/platform.ts';
import { CLIENTS, type Client } from '../harness/client.ts';
import { javaProgram } from '../harness/java.ts';
import type { Command } from '../harness/program.ts';
import { built, runTool, which } from '../harness/toolchain.ts';
import { World } from '../harness/world.ts';

/** In a row, after everything else. */
const STARTS = process.env['POSTERN_WRAPPER_STARTS'] ?? '20';
const HERE = path.join(CLIENTS, 'wrappers');

export const WRAPPERS: readonly Client[] = [
  npmWrapper('npm ngrok 5', 'ngrok5'),
  npmWrapper('npm ngrok 4', 'ngrok4'),
  wrapper('pyngrok 9', ['python3'], ['2', '3'], pyngrok),
  wrapper('java-ngrok 2.3', ['mvn', 'javac', 'java'], ['whole'], javaNgrok),
  { ...wrapper('flask-ngrok', ['python3'], ['whole'], flaskNgrok, flaskProblem), alone: true },
];

function npmWrapper(name: string, packageName: string): Client {
  return wrapper(name, ['npm'], ['whole'], async () => {
    const manifest = path.join(HERE, 'package.json');
    const lock = path.join(HERE, 'package-lock.json');
    const folder = await built(packageName, [manifest, lock], async (into) => {
      for (const file of [manifest, lock]) await copyFile(file, path.join(into, path.basename(file)));
      // Their install scripts fetch the other agent.
      await runTool({ command: which('npm'), args: ['ci', '--ignore-scripts', '--loglevel=error'], cwd: into });
    });
    return {
      command: process.execPath,
      args: [path.join(HERE, 'npm.cjs'), path.join(folder, 'node_modules', packageName)],
    };
  });
}

async function pyngrok(version: string): Promise<Command> {
  return { command: await pythonWith('pyngrok'), args: [path.join(HERE, 'main.py'), version] };
}

async function flaskNgrok(): Promise<Command> {
  return { command: await pythonWith('flask'), args: [path.join(HERE, 'flask_app.py')] };
}

/** A Python of its own, with what `requirements-NAME.txt` names. */
async function pythonWith(name: string): Promise<string> {
  const requirements = path.join(HERE, `requirements-${name}.txt`);
  const python = await runTool({ command: 'python3', args: ['--version'] });
  const folder = await built(`python-${name}`, [requirements, python], async (into) => {
    await runTool({ command: 'python3', args: ['-m', 'venv', into] });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
    await runTool({ command: path.join(into, 'bin', 'python'), args: [...pip, '-r', requirements] });
  });
  return path.join(folder, 'bin', 'python');
}

/** It has ports that it cannot be talked out of, and makes its binary one that only root may run. */
async function flaskProblem(): Promise<string> {
  if (process.getuid?.() !== 0) return 'it gives its binary a mode that only root can run';
  for (const port of [5000, 4040]) if (!(await isFree(port))) return `it needs port ${port}, which is taken`;
  return '';
}

function isFree(port: number): Promise<boolean> {
  const server = net.createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function javaNgrok(): Promise<Command> {
  return javaProgram('wrappers/java-ngrok', 'Main', ['-Djava.util.logging.config.file=/dev/null']);
}

/**
 * @param forms what each of its runs is asked for
 * @param problem why it cannot run here now, or ''
 */
function wrapper(
  name: string,
  tools: readonly string[],
  forms: readonly string[],
  build: (form: string) => Promise<Command>,
  problem: () => Promise<string> = async () => '',
): Client {
  return {
    language: 'wrappers',
    name,
    tools,
    run: async (report) => {
      const why = await problem();
      if (why !== '') return report.add({ client: name, duty: 'all of it', outcome: 'skipped', why });
      const programs: Command[] = [];
      for (const form of forms) programs.push(await build(form));
      const world = await World.start();
      const folder = await mkdtemp(path.join(tmpdir(), 'postern-wrapper-'));
      try {
        const { platform, service } = world;
        const bin = path.join(folder, 'bin');
        await mkdir(bin);
        await writeFile(
          path.join(bin, 'ngrok'),
          `#!/bin/sh\nexec ${process.execPath} ${mainOf(repositoryRoot)} "$@"\n`,
        );
        await chmod(path.join(bin, 'ngrok'), 0o755);
        // Where flask-ngrok looks for it.
        const temporary = path.join(folder, 'tmp');
        await mkdir(temporary);
        await cp(bin, path.join(temporary, 'ngrok'), { recursive: true });
        for (const [at, { command, args = [] }] of programs.entries()) {
          const env = {
            // Where the server of these runs is the only one of its user.
            HOME: platform.dataDir,
            XDG_CONFIG_HOME: platform.dataDir,
            API_KEY: platform.apiKey,
            BIN: bin,
            CA: platform.runtime.ca_path,
            CONFIG: path.join(folder, `config-${at}.yml`),
            HTTPS_PORT: String(splitAddress(platform.runtime.https_addr)[1]),
            PORT: String(service.port),
            TMPDIR: temporary,
            TOKEN: platform.authtoken,
          };
          await report.run(name, `all of it, and ${STARTS} starts (${forms[at] ?? ''})`, async () => {
            await runTool({ command, args: [...args, STARTS], cwd: folder, env });
          });
        }
      } finally {
        await world.dispose();
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}
