/**
 * One abusive HTTP/2 client in a process of its own, so that what it costs to send does not disturb who measures.
 * Options come as JSON in FLOOD; prints one line of JSON when the server has ended the connection or time is up.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { PREFACE, settings } from '../framing/h2-wire.ts';
import { dial, type Door } from '../framing/raw-client.ts';
import { type Flood, FLOODS } from './kinds.ts';

export interface FloodOptions {
  readonly kind: string;
  readonly door: Door;
  readonly host: string;
  /** The flood comes again until this time is up; */
  readonly milliseconds: number;
  /** and no connection of it goes on for longer than this. */
  readonly mostMilliseconds: number;
}

export interface FloodReport {
  readonly connections: number;
  /** Of these, ended by the server. */
  readonly ended: number;
  readonly bytes: number;
}

const options: FloodOptions = JSON.parse(process.env['FLOOD'] ?? '{}');
const flood = FLOODS[options.kind];
if (flood === undefined) throw new Error(`no flood ${options.kind}`);

const report = { connections: 0, ended: 0, bytes: 0 };
const started = Date.now();
do {
  const round = await attack(flood);
  report.connections += 1;
  report.bytes += round.bytes;
  if (round.ended) report.ended += 1;
} while (Date.now() - started < options.milliseconds);
process.stdout.write(`${JSON.stringify(report)}\n`);

async function attack({ first, again, deaf = false }: Flood): Promise<{ ended: boolean; bytes: number }> {
  const socket = await dial(options.door);
  const state = { ended: false, bytes: 0, wake: (): void => undefined };
  const over = (): void => {
    state.ended = true;
    state.wake();
  };
  socket.on('close', over);
  socket.on('end', over);
  socket.on('drain', () => state.wake());
  if (!deaf) socket.resume();
  const send = (piece: Buffer): boolean => {
    state.bytes += piece.length;
    return socket.write(piece);
  };
  send(Buffer.concat([PREFACE, settings(), first(options.host)]));
  const until = Date.now() + options.mostMilliseconds;
  for (let count = 0; !state.ended && Date.now() < until; count += 1) {
    const piece = again(options.host, count);
    if (piece.length > 0 && send(piece)) await turn();
    else {
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, 50);
        state.wake = () => {
          clearTimeout(late);
          resolve();
        };
      });
    }
  }
  const { ended, bytes } = state;
  socket.destroy();
  return { ended, bytes };
}
