import tab from '@bomb.sh/tab/commander';
import { createApiProgram } from './api/run-api.ts';
import { createProgram } from './program.ts';

/** `postern completion bash|zsh|fish|powershell`, and what the script that it prints asks for (`complete -- …`). */
export async function runCompletion(args: readonly string[]): Promise<void> {
  const program = createProgram({ whole: true });
  program.addCommand(createApiProgram().name('api'));
  tab(program, { completionCommandName: 'completion' });
  await program.parseAsync([...args], { from: 'user' });
}
