/** Mux sessions in both roles, among frames that nobody should send. */
import type { Dice } from '@postern/edge/testing/dice';
import { cut, mutatedOf, showChunks } from './mutate.ts';
import { muxMaterial, randomFrame } from './mux-material.ts';
import { WatchedSession, WatchedStream } from './mux-watch.ts';
import { type FuzzTarget, fuzzTarget, must, mustEqual } from './target.ts';

type Act = 'open' | 'write' | 'end' | 'reset' | 'consume' | 'pull' | 'goAway' | 'destroy' | 'wireEnded';

interface Case {
  readonly chunks: readonly Buffer[];
  /** What the owner does between chunks; none = it only listens, and every way of cutting must tell it the same. */
  readonly acts: readonly { readonly act: Act; readonly number: number }[];
  readonly consumes: boolean;
}

const ACTS = [
  'open',
  'open',
  'write',
  'write',
  'write',
  'end',
  'reset',
  'consume',
  'pull',
  'pull',
  'pull',
  'goAway',
  'destroy',
  'wireEnded',
] as const;
const WRITES = 5_000;
const PER_WRITE = 64;

export function muxTarget(role: 'client' | 'server'): FuzzTarget {
  const material = muxMaterial(role === 'client' ? 'server' : 'client');
  const make = (dice: Dice): Case => {
    const bytes = dice.once(2)
      ? mutatedOf(material, dice)
      : Buffer.concat(Array.from({ length: 1 + dice.below(30) }, () => randomFrame(dice)));
    const count = dice.once(2) ? 0 : dice.below(20);
    return {
      chunks: cut(bytes, dice),
      acts: Array.from({ length: count }, () => ({ act: dice.pick(ACTS), number: dice.below(WRITES) })),
      consumes: !dice.once(4),
    };
  };
  return fuzzTarget<Case>(
    `mux-${role}`,
    make,
    (one) => check(role, one),
    ({ chunks, acts }) => `${JSON.stringify(acts.map(({ act, number }) => `${act} ${number}`))} ${showChunks(chunks)}`,
  );
}

function check(role: 'client' | 'server', { chunks, acts, consumes }: Case): void {
  const watched = new WatchedSession(role, { consumes });
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (acts.length === 0) {
    for (const chunk of chunks) watched.session.receive(chunk);
    const whole = new WatchedSession(role, { consumes });
    whole.session.receive(Buffer.concat(chunks));
    mustEqual(whole.account, watched.account, 'told something else when cut');
  } else play(watched, chunks, acts);
  const { session, opened } = watched;
  must(session.streamCount <= bytes / 8 + opened.length, 'more streams than frames');
  must(session.ended === (watched.ends.length === 1), 'an end that was not told');
  watched.drain();
  // Nobody can make us send much more than he sent: an RST of 12 bytes for a frame of 9, and a nudge.
  const ours = acts.length * (WRITES + PER_WRITE);
  must(watched.said <= 3 * bytes + ours + 400, `${watched.said} bytes in answer to ${bytes}`);
  session.wireEnded('the case is over');
  must(session.ended && session.streamCount === 0, 'a session that does not end');
  for (const stream of [...watched.accepted, ...opened]) {
    must(stream.stream !== null && stream.stream.closed, 'a stream that outlives its session');
    must(stream.stream?.queued === 0 || stream.resetWith === null, 'bytes queued on a dead stream');
  }
}

function play(watched: WatchedSession, chunks: readonly Buffer[], acts: Case['acts']): void {
  const { session, accepted, opened } = watched;
  const steps = Math.max(chunks.length, acts.length);
  for (let step = 0; step < steps; step++) {
    const chunk = chunks[step];
    if (chunk !== undefined) session.receive(chunk);
    const next = acts[step];
    if (next === undefined) continue;
    const streams = [...accepted, ...opened];
    const stream = streams[next.number % Math.max(1, streams.length)]?.stream;
    switch (next.act) {
      case 'open': {
        if (session.ended || watched.goingAway) break;
        const mine = new WatchedStream(true);
        mine.stream = session.open(3, mine, Buffer.alloc(next.number % 100));
        opened.push(mine);
        break;
      }
      case 'write':
        stream?.write(Buffer.alloc(next.number));
        break;
      case 'end':
        stream?.end();
        break;
      case 'reset':
        stream?.reset(next.number % 16);
        break;
      case 'consume':
        // Also more than was delivered.
        stream?.consume(next.number);
        break;
      case 'pull':
        watched.drain();
        break;
      case 'goAway':
        if (next.number % 4 !== 0) break;
        watched.goingAway = true;
        session.goAway(0, 'enough');
        break;
      case 'destroy':
        if (next.number % 4 === 0) session.destroy(14, 'enough');
        break;
      default:
        if (next.number % 4 === 0) session.wireEnded('gone');
    }
  }
}
