import process from 'node:process';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** The token that somebody types, without showing it; where nobody does, all that comes in. */
export async function askForToken(): Promise<string> {
  if (!process.stdin.isTTY) return (await text(process.stdin)).trim();
  process.stderr.write('Authtoken (of the file authtoken of the server; it is not shown): ');
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await new Promise<string>((resolve) => {
      lines.once('line', resolve);
      // Ctrl+C and the end of the input are answers, too.
      lines.once('close', () => resolve(''));
    }).then((line) => line.trim());
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
