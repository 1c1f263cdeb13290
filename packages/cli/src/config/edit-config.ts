import { spawn } from 'node:child_process';
import process from 'node:process';
import { messageOf } from '../problem.ts';
import { UsageError } from '../usage-error.ts';
import { readConfig } from './read-config.ts';
import { textIfThere, writePrivately } from './write-config.ts';

const EMPTY = 'version: 3\nagent: {}\n';

/** Opens the file in the user's editor, whatever is in it, and says afterwards what is wrong with it. */
export async function editConfig(file: string): Promise<void> {
  if ((await textIfThere(file)) === null) await writePrivately(file, EMPTY);
  const { VISUAL, EDITOR } = process.env;
  const fallback = process.platform === 'win32' ? 'notepad' : 'nano';
  const editor = [VISUAL, EDITOR].find((word) => word !== undefined && word.trim() !== '') ?? fallback;
  // Editors are given with flags ("code --wait"). The file goes as an argument of its own, whatever is in its name.
  const [program = editor, ...flags] = editor.trim().split(/\s+/);
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(program, [...flags, file], { stdio: 'inherit' });
    child.once('error', (cause) =>
      reject(
        new UsageError(`${program} could not be started (${messageOf(cause)}); name another in EDITOR.`, { cause }),
      ),
    );
    child.once('exit', resolve);
  });
  if (code !== 0) throw new UsageError(`${program} ended with ${code === null ? 'a signal' : `code ${code}`}.`);
  await readConfig([file]);
  process.stdout.write(`Valid configuration file at ${file}\n`);
}
