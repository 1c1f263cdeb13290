/** Wrappers of the v3 agent, with our command in the place of its binary (agent-and-ux.md §7). */
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mainOf, repositoryRoot, splitAddress } from '../../support/platform.ts';
import { CLIENTS, type Client } from '../harness/client.ts';
import { built, runTool, which } from '../harness/toolchain.ts';
import { World } from '../harness/world.ts';

/** In a row, after everything else. */
const STARTS = process.env['POSTERN_WRAPPER_STARTS'] ?? '20';
const HERE = path.join(CLIENTS, 'wrappers');

export const WRAPPERS: readonly Client[] = [
  npmWrapper('npm ngrok 5', 'ngrok5'),
  npmWrapper('npm ngrok 4', 'ngrok4'),
  wrapper('pyngrok 9', ['python3'], ['2', '3'], pyngrok),
];

interface Program {
  readonly command: string;
  readonly args: readonly string[];
}

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

async function pyngrok(version: string): Promise<Program> {
  const requirements = path.join(HERE, 'requirements.txt');
  const python = await runTool({ command: 'python3', args: ['--version'] });
  const folder = await built('pyngrok', [requirements, python], async (into) => {
    await runTool({ command: 'python3', args: ['-m', 'venv', into] });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
    await runTool({ command: path.join(into, 'bin', 'python'), args: [...pip, '-r', requirements] });
  });
  return { command: path.join(folder, 'bin', 'python'), args: [path.join(HERE, 'main.py'), version] };
}

/** @param forms what each of its runs is asked for */
function wrapper(
  name: string,
  tools: readonly string[],
  forms: readonly string[],
  build: (form: string) => Promise<Program>,
): Client {
  return {
    language: 'wrappers',
    name,
    tools,
    run: async (report) => {
      const programs: Program[] = [];
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
        for (const [at, { command, args }] of programs.entries()) {
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
