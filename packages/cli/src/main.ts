import process from 'node:process';
import { normalizeArgv, placeOfApi } from './argv.ts';
import { createProgram } from './program.ts';

// The launcher ties us to itself with an IPC channel: when it dies, so do we, as if asked to stop.
if (process.channel !== undefined) {
  process.channel.unref();
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}

const program = createProgram();
const args = process.argv.slice(2);
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
