/** RPC messages: the reader that finds their end, and the decoders of both sides. */
import { isPosternError } from '@postern/errors';
import {
  acceptRpc,
  callRpc,
  decodeAuth,
  decodeAuthResponse,
  decodeBind,
  decodeBindResponse,
  decodeErrorResponse,
  decodeLabelBind,
  decodeLabelBindResponse,
  decodePatchTunnel,
  decodeServerInfo,
  decodeServerInfoResponse,
  decodeStopTunnel,
  decodeUnbind,
  decodeUpdate,
  echoHeartbeats,
  encodeAuth,
  encodeAuthResponse,
  encodeBind,
  encodeBindResponse,
  encodeLabelBind,
  encodePatchTunnel,
  encodeStopTunnel,
  encodeUpdate,
  JsonReader,
  openHeartbeat,
  parseErrorText,
  StreamType,
} from '@postern/protocol';
import { cut, mutatedOf, showChunks } from './mutate.ts';
import { muxMaterial, frame } from './mux-material.ts';
import { WatchedSession } from './mux-watch.ts';
import { MESSAGES } from './rpc-material.ts';
import { type FuzzTarget, fuzzTarget, must, mustEqual } from './target.ts';

/** Longest wait that a timer can be set to, in milliseconds. */
const LONGEST_WAIT = 0x7fffffff;

type Result = { readonly value: unknown } | 'more' | 'refused';

interface Case {
  readonly chunks: readonly Buffer[];
  readonly limit: number;
}

export const messageTarget: FuzzTarget = fuzzTarget<Case>(
  'rpc-messages',
  (dice) => ({ chunks: cut(mutatedOf(MESSAGES, dice), dice), limit: dice.once(8) ? dice.below(200) : 65_536 }),
  ({ chunks, limit }) => {
    const result = read(chunks, limit);
    mustEqual(read([Buffer.concat(chunks)], limit), result, 'another reading when cut');
    if (typeof result !== 'string') for (const [name, decode] of DECODERS) decoded(name, decode, result.value);
    must(!('polluted' in {}), 'a message reached the prototype of all objects');
  },
  ({ chunks, limit }) => `limit ${limit} ${showChunks(chunks)}`,
);

function read(chunks: readonly Buffer[], limit: number): Result {
  const reader = new JsonReader(limit);
  return refusable([109], () => {
    for (const chunk of chunks) if (reader.push(chunk)) return { value: reader.value() };
    return 'more';
  });
}

/** What `work` answers; a refusal with one of these numbers is one, anything else that is thrown is not. */
function refusable<T>(numbers: readonly number[], work: () => T): T | 'refused' {
  try {
    return work();
  } catch (error) {
    if (isPosternError(error) && numbers.includes(error.number)) return 'refused';
    throw error;
  }
}

/** Each decodes, checks what has a rule, and answers what the same message is when it is written again. */
const DECODERS: ReadonlyMap<string, (value: unknown) => readonly [unknown, unknown]> = new Map([
  [
    'Auth',
    (value) => {
      const auth = decodeAuth(value);
      for (const wait of [auth.heartbeatInterval, auth.heartbeatTolerance]) {
        must(wait >= 1 && wait <= LONGEST_WAIT, `a heartbeat every ${wait} ms`);
      }
      return [auth, decodeAuth(parsed(encodeAuth(auth)))];
    },
  ],
  [
    'Bind',
    (value) => {
      const bind = decodeBind(value);
      encodeBindResponse({ id: '', url: '', proto: bind.proto, opts: bind.rawOpts, token: '' });
      const { ipPolicyRef: _, ...sent } = bind;
      const again = decodeBind(parsed(encodeBind({ ...sent, opts: bind.rawOpts })));
      return [bind, { ...again, ipPolicyRef: bind.ipPolicyRef }];
    },
  ],
  ['Labels', (value) => resent(decodeLabelBind(value), (one) => decodeLabelBind(parsed(encodeLabelBind(one))))],
  ['Patch', (value) => resent(decodePatchTunnel(value), (one) => decodePatchTunnel(parsed(encodePatchTunnel(one))))],
  ['Unbind', (value) => resent(decodeUnbind(value), (one) => one)],
  ['SrvInfo', (value) => resent(decodeServerInfo(value), (one) => one)],
  [
    'AuthResp',
    (value) =>
      resent(decodeAuthResponse(value), (one) => ({
        ...decodeAuthResponse(parsed(encodeAuthResponse(one))),
        planName: one.planName,
      })),
  ],
  ['BindResp', (value) => resent(decodeBindResponse(value), (one) => one)],
  ['LabelsResp', (value) => resent(decodeLabelBindResponse(value), (one) => one)],
  ['Error', (value) => resent(parseErrorText(decodeErrorResponse(value)), (one) => one)],
  ['SrvInfoResp', (value) => resent(decodeServerInfoResponse(value), (one) => one)],
  [
    'Update',
    (value) =>
      resent(decodeUpdate(value), (one) => decodeUpdate(parsed(encodeUpdate(one.version, one.permitMajorVersion)))),
  ],
  [
    'StopTunnel',
    (value) =>
      resent(decodeStopTunnel(value), (one) =>
        decodeStopTunnel(parsed(encodeStopTunnel(one.id, one.message, one.errorCode))),
      ),
  ],
] as const satisfies readonly (readonly [string, (value: unknown) => readonly [unknown, unknown]])[]);

function resent<T>(one: T, resend: (one: T) => unknown): readonly [unknown, unknown] {
  return [one, resend(one)];
}

function parsed(bytes: Buffer): unknown {
  return JSON.parse(bytes.toString());
}

function decoded(name: string, decode: (value: unknown) => readonly [unknown, unknown], value: unknown): void {
  const result = refusable([109, 301], () => decode(value));
  if (result !== 'refused') mustEqual(result[1], result[0], `another ${name} when sent on`);
}

/** Sessions whose streams carry RPCs and heartbeats, as servers and agents run them. */
export function rpcStreamTarget(): FuzzTarget {
  const material = { client: muxMaterial('server'), server: muxMaterial('client') };
  return fuzzTarget<{ readonly role: 'client' | 'server'; readonly chunks: readonly Buffer[] }>(
    'rpc-streams',
    (dice) => {
      const role = dice.pick(['client', 'server'] as const);
      const bytes = dice.once(2) ? mutatedOf(material[role], dice) : inFrames(role, mutatedOf(MESSAGES, dice), dice);
      return { role, chunks: cut(bytes, dice) };
    },
    ({ role, chunks }) => {
      let outcomes = 0;
      let asked = 0;
      let broken = 0;
      const outcome = { onMessage: () => void outcomes++, onFailure: () => void outcomes++ };
      const watched = new WatchedSession(role, {
        consumes: true,
        onStream: (stream) => {
          if (stream.type === StreamType.proxy) return false;
          if (stream.type === StreamType.heartbeat) echoHeartbeats(stream);
          else {
            asked++;
            acceptRpc(stream, 1_000, outcome);
          }
          return true;
        },
      });
      const { session } = watched;
      asked++;
      callRpc(session, StreamType.bind, Buffer.from('{}'), 1_000, outcome);
      const heart = openHeartbeat(session, {
        now: () => 0,
        random32: () => 0x61626364,
        onLatency: () => undefined,
        onBroken: () => void broken++,
      });
      heart.beat();
      for (const chunk of chunks) {
        session.receive(chunk);
        watched.drain();
        must(outcomes <= asked, 'more answers than questions');
      }
      session.wireEnded('the case is over');
      must(outcomes === asked, `${asked} questions and ${outcomes} outcomes`);
      must(broken === 1, `a heartbeat that was called broken ${broken} times`);
    },
    ({ role, chunks }) => `${role} ${showChunks(chunks)}`,
  );
}

/** One message on one stream of the peer's, in frames of any size. */
function inFrames(role: 'client' | 'server', message: Buffer, dice: Parameters<typeof cut>[1]): Buffer {
  // Half of them answer our own question, on the first stream that we opened.
  const answers = dice.once(2);
  const theirs = role === 'server' ? 3 : 2;
  const ours = role === 'server' ? 2 : 3;
  const pieces = cut(message, dice).map((piece) => frame(1, 0, answers ? ours : theirs, piece));
  const end = dice.once(2) ? [frame(1, 1, answers ? ours : theirs, Buffer.alloc(0))] : [];
  const open = answers ? [] : [frame(1, 2, theirs, Buffer.from([0, 0, 0, dice.below(12)]))];
  return Buffer.concat([...open, ...pieces, ...end]);
}
