/** Programs in Python: a folder with requirements.txt has a virtual environment of its own in the cache. */
import path from 'node:path';
import { CLIENTS } from './client.ts';
import type { Command } from './program.ts';
import { built, runTool } from './toolchain.ts';

export async function pythonProgram(folder: string, name = 'main'): Promise<Command> {
  const source = path.join(CLIENTS, folder);
  const requirements = path.join(source, 'requirements.txt');
  const version = await runTool({ command: 'python3', args: ['--version'] });
  const made = await built(path.basename(folder), [requirements, version], async (into) => {
    await runTool({ command: 'python3', args: ['-m', 'venv', into] });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary=:all:'];
    await runTool({ command: path.join(into, 'bin', 'python'), args: [...pip, '-r', requirements] });
  });
  return { command: path.join(made, 'bin', 'python'), args: ['-u', path.join(source, `${name}.py`)] };
}
