/** Wrappers of the v3 agent, with our command in the place of its binary (agent-and-ux.md §7). */
import { chmod, copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mainOf, repositoryRoot, splitAddress } from '../../support/platform.ts';
import { LoopbackNamespace, namespaceProblem } from '../../support/namespace/namespace.ts';
import { CLIENTS, type Client } from '../harness/client.ts';
import { javaProgram } from '../harness/java.ts';
import type { Command } from '../harness/program.ts';
import { built, runTool, tryTool, which } from '../harness/toolchain.ts';
import { World } from '../harness/world.ts';

/** In a row, after everything else. */
const STARTS = process.env['POSTERN_WRAPPER_STARTS'] ?? '20';
const HERE = path.join(CLIENTS, 'wrappers');
/** Of one wrapper: far more than it needs, and an end for one that waits for ever. */
const MOST_MS = 600_000;
/** The last of what its agents did, for who reads of a failure. */
const JOURNAL_BYTES = 6_000;

export const WRAPPERS: readonly Client[] = [
  npmWrapper('npm ngrok 5', 'ngrok5'),
  npmWrapper('npm ngrok 4', 'ngrok4'),
  wrapper('pyngrok 9', ['python3'], ['2', '3'], pyngrok),
  wrapper('java-ngrok 2.3', ['mvn', 'javac', 'java'], ['whole'], javaNgrok),
  // It has ports that it cannot be talked out of, and makes its binary one that only root may run.
  wrapper('flask-ngrok', ['python3'], ['whole'], flaskNgrok, { isolated: true }),
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

function javaNgrok(): Promise<Command> {
  return javaProgram('wrappers/java-ngrok', 'Main', ['-Djava.util.logging.config.file=/dev/null']);
}

/**
 * @param forms what each of its runs is asked for
 * @param isolated it runs in a network namespace of its own, where every port is free and it is root
 */
function wrapper(
  name: string,
  tools: readonly string[],
  forms: readonly string[],
  build: (form: string) => Promise<Command>,
  { isolated = false } = {},
): Client {
  return {
    language: 'wrappers',
    part: 'agents',
    name,
    tools,
    run: async (report) => {
      const why = isolated ? namespaceProblem() : '';
      if (why !== '') return report.add({ client: name, duty: 'all of it', outcome: 'skipped', why });
      const programs: Command[] = [];
      for (const form of forms) programs.push(await build(form));
      const world = await World.start();
      const folder = await mkdtemp(path.join(tmpdir(), 'postern-wrapper-'));
      const namespace = isolated ? await namespaceOf(world) : undefined;
      try {
        const env = await environment(world, folder);
        for (const [at, program] of programs.entries()) {
          const { command, args = [] } = program;
          const own = {
            ...env,
            CONFIG: path.join(folder, `config-${at}.yml`),
            JOURNAL: path.join(folder, `journal-${at}.txt`),
          };
          const started = namespace?.inside(command, [...args, STARTS]) ?? { command, args: [...args, STARTS] };
          await report.run(name, `all of it, and ${STARTS} starts (${forms[at] ?? ''})`, async () => {
            const { code, output } = await tryTool({ ...started, cwd: folder, env: own }, MOST_MS);
            if (code === 0) return;
            const journal = await readFile(own.JOURNAL, 'utf8').catch(() => 'none of them has started');
            const ended = `it ended with ${code ?? `a signal (it may take ${MOST_MS / 60_000} minutes)`}`;
            throw new Error(`${ended}\n${output}\nIts agents:\n${journal.slice(-JOURNAL_BYTES)}`);
          });
        }
      } finally {
        await namespace?.close();
        await world.dispose();
        // An agent that nobody waited for may write the last of its journal while it goes.
        await rm(folder, { recursive: true, force: true, maxRetries: 20 });
      }
    },
  };
}

/** A namespace from which the world's server can be reached at its addresses. */
async function namespaceOf({ platform: { runtime } }: World): Promise<LoopbackNamespace> {
  const namespace = await LoopbackNamespace.create();
  for (const address of [runtime.agent_addr, runtime.https_addr]) {
    const [host, port] = splitAddress(address);
    await namespace.open(port, () => ({ host, port }));
  }
  return namespace;
}

/** Our command where wrappers look for their binary, and what they are told of the server. */
async function environment({ platform, service }: World, folder: string): Promise<Record<string, string>> {
  const bin = path.join(folder, 'bin');
  await mkdir(bin);
  const command = `${process.execPath} --import ${path.join(HERE, 'journal.mjs')} ${mainOf(repositoryRoot)}`;
  await writeFile(path.join(bin, 'ngrok'), `#!/bin/sh\nexec ${command} "$@"\n`);
  await chmod(path.join(bin, 'ngrok'), 0o755);
  // Where flask-ngrok looks for it.
  const temporary = path.join(folder, 'tmp');
  await mkdir(temporary);
  await cp(bin, path.join(temporary, 'ngrok'), { recursive: true });
  return {
    // Where the server of these runs is the only one of its user.
    HOME: platform.dataDir,
    XDG_CONFIG_HOME: platform.dataDir,
    API_KEY: platform.apiKey,
    BIN: bin,
    CA: platform.runtime.ca_path,
    HTTPS_PORT: String(splitAddress(platform.runtime.https_addr)[1]),
    PORT: String(service.port),
    TMPDIR: temporary,
    TOKEN: platform.authtoken,
  };
}
