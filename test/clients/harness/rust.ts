/** Programs in Rust: a folder with Cargo.toml and Cargo.lock becomes a binary in the cache. */
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { CLIENTS } from './client.ts';
import type { Command } from './program.ts';
import { built, CACHE, runTool } from './toolchain.ts';

/** `name`: of the program, the folder's own by default; `programs`: all of those that the folder has. */
export async function rustProgram(
  folder: string,
  name = path.basename(folder),
  programs: readonly string[] = [path.basename(folder), 'page'],
): Promise<Command> {
  const source = path.join(CLIENTS, folder);
  const version = await runTool({ command: 'cargo', args: ['--version'] });
  const made = await built(path.basename(folder), [source, version], async (into) => {
    // Dependencies compiled once are there for the next change of the program.
    const target = path.join(CACHE, 'rust-target');
    await runTool({
      command: 'cargo',
      args: ['build', '--release', '--locked'],
      cwd: source,
      env: { CARGO_TARGET_DIR: target },
    });
    for (const program of programs) await copyFile(path.join(target, 'release', program), path.join(into, program));
  });
  return { command: path.join(made, name) };
}
