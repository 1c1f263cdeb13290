/** Programs in Go: a folder with go.mod and go.sum becomes a binary in the cache. */
import path from 'node:path';
import { CLIENTS } from './client.ts';
import type { Command } from './program.ts';
import { built, runTool } from './toolchain.ts';

/** No toolchain is downloaded, and nothing that go.sum does not name. */
const GO = { GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly -buildvcs=false' };

/** `args`: which of its several clients the program is; `name`: of the package below, the folder's own by default. */
export async function goProgram(folder: string, args: readonly string[] = [], name = '.'): Promise<Command> {
  const source = path.join(CLIENTS, folder);
  const version = await runTool({ command: 'go', args: ['version'], env: GO });
  const own = path.basename(folder);
  const kept = name === '.' ? own : `${own}-${name}`;
  const made = await built(kept, [source, version], async (into) => {
    await runTool({ command: 'go', args: ['build', '-o', path.join(into, own), `./${name}`], cwd: source, env: GO });
  });
  return { command: path.join(made, own), args };
}
