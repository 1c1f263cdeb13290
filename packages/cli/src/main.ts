import process from 'node:process';

// The launcher ties us to itself with an IPC channel: when it dies, so do we, as if asked to stop.
if (process.channel !== undefined) {
  process.channel.unref();
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}

const [word, ...more] = process.argv.slice(2);
if (more.length === 0 && (word === 'version' || word === '--version')) {
  // Wrappers ask for it before everything else; it needs no command tree.
  const { VERSION } = await import('./version.ts');
  process.stdout.write(`postern version ${VERSION}\n`);
} else {
  const { runCommand } = await import('./run-command.ts');
  await runCommand(process.argv.slice(2));
}
