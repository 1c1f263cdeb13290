/**
 * `flood.ts MEGABYTES`: so much passes a watched connection; prints by how much the process has grown, in bytes. That is
 * the least of what it is at the end of that and of a few smaller ones behind it: what a busy machine has not collected yet
 * at one moment is not kept.
 */
import process from 'node:process';
import { Recorder } from '../record/recorder.ts';
import { Watches } from '../watch/watches.ts';

const total = Number(process.argv[2]) * 1_000_000;
const now = (): number => performance.now();
const recorder = new Recorder({ bound: 50 * 1024 * 1024, now, wall: Date.now, random: Math.random });
const watch = new Watches(recorder, now).watch({ name: 'flood', inspect: true });
const request = Buffer.from('GET /x HTTP/1.1\r\nHost: x.test\r\n\r\n');
const chunk = Buffer.alloc(65_536, 120);

/** Answers of these lengths in turn: many small ones, some that are kept whole, some that are not. */
const LENGTHS = [200, 2_000, 20_000, 200_000, 2_000_000];
let passed = 0;

function answer(connection: ReturnType<typeof watch>, length: number): void {
  connection.fromVisitor?.(request);
  const head = `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${length}\r\n\r\n`;
  connection.fromService?.(Buffer.from(head));
  for (let left = length; left > 0; left -= chunk.length)
    connection.fromService?.(left >= chunk.length ? chunk : chunk.subarray(0, left));
  passed += request.length + head.length + length;
}

/** In slices, so that the loop turns as it does in an agent. */
async function flood(bytes: number): Promise<void> {
  const connection = watch({ clientAddr: '192.0.2.1:1', proto: 'https', behindProxyHeader: false });
  passed = 0;
  for (let turn = 0; passed < bytes; turn++) {
    for (const [at, length] of LENGTHS.entries())
      for (let time = 0; time < 4 ** (4 - at); time++) answer(connection, length);
    await new Promise((resolve) => setImmediate(resolve));
  }
  connection.over();
}

const before = process.memoryUsage.rss();
await flood(total);
let grown = process.memoryUsage.rss() - before;
for (let time = 0; time < 10; time++) {
  await flood(total / 50);
  grown = Math.min(grown, process.memoryUsage.rss() - before);
}
process.stdout.write(`${grown}\n`);
