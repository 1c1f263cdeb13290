/** What agents ask, before and after they have said who they are: nothing of it may be kept, and none of it is free. */
import { createMuxSession, MuxErrorCode, StreamType, type MuxSession } from '@postern/protocol';
// Internal to the edge: nobody but this needs a public name of it.
import { type RpcHost, RpcServer } from '../../packages/edge/src/agents/rpc-server.ts';
import type { FaultReports, TimerWheel } from '../../packages/edge/src/context.ts';
import type { Dice } from '@postern/edge/testing/dice';
import { cut, mutatedOf, showChunks } from './mutate.ts';
import { frame, muxMaterial, randomFrame } from './mux-material.ts';
import { MESSAGES } from './rpc-material.ts';
import { type FuzzTarget, fuzzTarget, must } from './target.ts';

/** Questions that are taken from somebody unknown. */
const ANONYMOUS = 16;
/** Streams that one agent may have open, as the edge sets them before and after Auth. */
const STREAMS = { before: 32, after: 4_200 } as const;

type Phase = keyof typeof STREAMS;

interface Case {
  readonly phase: Phase;
  readonly chunks: readonly Buffer[];
  /** The agent reads what it is told. */
  readonly reads: boolean;
}

const material = muxMaterial('client');

export const agentTarget: FuzzTarget = fuzzTarget<Case>(
  'agents',
  (dice) => ({
    phase: dice.pick(['before', 'after'] as const),
    chunks: cut(Buffer.concat(Array.from({ length: 1 + dice.below(12) }, () => piece(dice))), dice),
    reads: !dice.once(4),
  }),
  check,
  ({ phase, chunks }) => `${phase} ${showChunks(chunks)}`,
);

function piece(dice: Dice): Buffer {
  switch (dice.below(4)) {
    case 0:
      return mutatedOf(material, dice);
    case 1:
      return randomFrame(dice);
    case 2:
      return flood(dice);
    default:
      return question(3 + 2 * dice.below(40), dice.pick(TYPES), mutatedOf(MESSAGES, dice), dice);
  }
}

const TYPES = [0, 1, 2, 4, 7, 8, 10, 99, StreamType.heartbeat] as const;

/** The same short question on many streams. */
function flood(dice: Dice): Buffer {
  const first = 3 + 2 * dice.below(1_000);
  const type = dice.pick(TYPES);
  const text = Buffer.from(dice.once(3) ? '{' : '{}');
  return Buffer.concat(Array.from({ length: dice.below(200) }, (_, i) => question(first + 2 * i, type, text, dice)));
}

function question(id: number, type: number, text: Buffer, dice: Dice): Buffer {
  const typed = Buffer.alloc(4);
  typed.writeUInt32BE(type);
  const parts = [frame(1, 2, id, typed), frame(1, dice.once(2) ? 1 : 0, id, text.subarray(0, 60_000))];
  // Some leave at once.
  if (dice.once(5)) parts.push(frame(0, 0, id, Buffer.from([0, 0, 0, MuxErrorCode.streamCancelled])));
  return Buffer.concat(parts);
}

function check({ phase, chunks, reads }: Case): void {
  const timers = new Set<object>();
  let ended = '';
  let accepted = 0;
  const session: MuxSession = createMuxSession(
    { role: 'server', maxInboundStreams: STREAMS[phase] },
    {
      onStream: (stream) => {
        accepted++;
        rpc.accept(stream);
      },
      onStreamOver: (stream) => rpc.over(stream),
      onOutput() {},
      onEnd() {},
    },
  );
  const never = new Promise<never>(() => {});
  const link = {
    bind: () => never,
    bindLabels: () => never,
    unbind: () => never,
    patchTunnel: () => never,
    authenticate: () => never,
    follow: () => never,
    certificateFor: () => never,
    sessionEnded: () => never,
    login() {},
    traffic() {},
  };
  const host: RpcHost = {
    id: phase === 'before' ? '' : 'ts_1',
    authenticate: () => never,
    connectAddresses: () => [],
    turn: () => 0,
    unbound() {},
    end(reason) {
      ended ||= reason;
      session.destroy(MuxErrorCode.sessionClosed, reason);
    },
  };
  const faults: FaultReports = {
    count: 0,
    report(error) {
      throw error;
    },
  };
  const wheel: TimerWheel = {
    schedule() {
      const timer = {};
      timers.add(timer);
      return { cancel: () => void timers.delete(timer), refresh: () => void timers.add(timer), age: () => 0 };
    },
  };
  const rpc = new RpcServer(host, { link, faults, region: 'us', limits: { rpcBytes: 65_536 } }, wheel);
  for (const chunk of chunks) {
    session.receive(chunk);
    if (reads) for (let out = session.pull(); out !== undefined; out = session.pull()) session.release(out);
    must(session.streamCount <= STREAMS[phase], `${session.streamCount} streams open`);
    must(timers.size <= session.streamCount, `${timers.size} timers beside ${session.streamCount} streams`);
    if (phase === 'before') must(accepted <= ANONYMOUS + 1, `${accepted} questions of somebody unknown`);
  }
  session.wireEnded('the case is over');
  must(session.streamCount === 0, 'streams after the end');
  must(timers.size === 0, `${timers.size} timers after the end`);
  must(phase === 'before' || ended === '', `an agent that is known was sent away: ${ended}`);
}
