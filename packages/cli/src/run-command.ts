import { normalizeArgv, placeOfApi } from './argv.ts';
import { createProgram } from './program.ts';

/** What was typed, behind the name of the command. */
export async function runCommand(args: string[]): Promise<void> {
  const program = createProgram();
  const beforeApi = placeOfApi(program, args);
  // Alone, the command teaches.
  if (args.length === 0) program.outputHelp();
  else if (args[0] === 'completion' || args[0] === 'complete') {
    const { runCompletion } = await import('./completion.ts');
    await runCompletion(args);
  } else if (beforeApi !== null) {
    // Its tree is large, and made only for those who climb it.
    const { runApi } = await import('./api/run-api.ts');
    await runApi(args.toSpliced(beforeApi, 1));
  } else await program.parseAsync(normalizeArgv(program, args), { from: 'user' });
}
