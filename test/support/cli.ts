import { spawn } from 'node:child_process';
import path from 'node:path';
import { repositoryRoot } from './platform.ts';

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `postern …` to its end. */
export function postern(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
  const main = path.join(repositoryRoot, 'packages', 'cli', 'src', 'main.ts');
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
