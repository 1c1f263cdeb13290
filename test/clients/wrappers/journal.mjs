/**
 * Loaded into our command before it starts: writes down when it starts and ends, and what it prints meanwhile. Wrappers
 * keep that to themselves, and say of an agent that has ended no more than that.
 */
import { appendFileSync } from 'node:fs';

const { JOURNAL = '', TOKEN, API_KEY } = process.env;
const secrets = [TOKEN, API_KEY].filter(Boolean);

function write(text) {
  const plain = secrets.reduce((rest, secret) => rest.replaceAll(secret, '…'), text.trimEnd());
  appendFileSync(JOURNAL, `${new Date().toISOString()} ${process.pid} ${plain}\n`);
}

write(`starts: ${process.argv.slice(2).join(' ')}`);
for (const stream of [process.stdout, process.stderr]) {
  const pass = stream.write.bind(stream);
  stream.write = (chunk, ...rest) => {
    write(String(chunk));
    return pass(chunk, ...rest);
  };
}
// Whoever is killed by a signal says nothing.
process.on('exit', (code) => write(`ends with ${code}`));
