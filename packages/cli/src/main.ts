import process from 'node:process';
import { normalizeArgv } from './argv.ts';
import { createProgram } from './program.ts';

// The launcher ties us to itself with an IPC channel: when it dies, so do we, as if asked to stop.
if (process.channel !== undefined) {
  process.channel.unref();
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}

const program = createProgram();
// Alone, the command teaches.
if (process.argv.length <= 2) program.outputHelp();
else await program.parseAsync(normalizeArgv(program, process.argv.slice(2)), { from: 'user' });
