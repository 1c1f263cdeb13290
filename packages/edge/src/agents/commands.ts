/** What the server asks of agents: Stop, Restart, Update, StopTunnel (agent-protocol.md §5.8). */
import { fail } from '@postern/errors';
import {
  callRpc,
  decodeErrorResponse,
  encodeCommand,
  encodeStopTunnel,
  encodeUpdate,
  MuxErrorCode,
  StreamType,
  type MuxStreamHandler,
} from '@postern/protocol';
import type { TimerWheel } from '../context.ts';
import type { AgentCommand } from '@postern/link';
import type { AgentSession } from './agent-session.ts';

const ANSWER_MS = 10_000;
const ANSWER_BYTES = 65_536;

const NO_ANSWER: MuxStreamHandler = { onData() {}, onEnd() {}, onReset() {}, onDrain() {} };

/** Why a listener of an agent was ended. */
export interface StopNotice {
  readonly tunnelId: string;
  readonly message: string;
  /** `ERR_NGROK_n` */
  readonly errorCode: string | null;
}

const TYPES = { stop: StreamType.stop, restart: StreamType.restart, update: StreamType.update } as const;

/**
 * Sends a command and waits for the answer.
 * @returns the agent's error text; '' = it obeys
 * @throws PosternError 810 when no answer comes
 */
export function sendCommand(session: AgentSession, command: AgentCommand, wheel: TimerWheel): Promise<string> {
  const request =
    command.kind === 'update' ? encodeUpdate(command.version, command.permitMajorVersion) : encodeCommand();
  return new Promise((resolve, reject) => {
    const asked = performance.now();
    const silent = (): void => {
      const seconds = Math.round((performance.now() - asked) / 100) / 10;
      reject(fail(810, { id: session.id, seconds }));
    };
    const timer = wheel.schedule(ANSWER_MS, () => {
      stream.reset(MuxErrorCode.streamCancelled);
      silent();
    });
    const stream = callRpc(session.mux, TYPES[command.kind], request, ANSWER_BYTES, {
      onMessage: (message) => {
        timer.cancel();
        // Some agents leave their side open after the answer.
        wheel.schedule(ANSWER_MS, () => stream.reset(MuxErrorCode.streamCancelled));
        try {
          resolve(decodeErrorResponse(message));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      },
      onFailure: () => {
        timer.cancel();
        // An agent that stops at once has obeyed, and had no time to say so.
        if (session.ended && command.kind !== 'update') resolve('');
        else silent();
      },
    });
  });
}

/** Tells the agent that one of its listeners was ended here. There is no answer. */
export function sendStopTunnel(session: AgentSession, notice: StopNotice, wheel: TimerWheel): void {
  const request = encodeStopTunnel(notice.tunnelId, notice.message, notice.errorCode);
  const stream = session.mux.open(StreamType.stopTunnel, NO_ANSWER, request);
  stream.end();
  // Not every agent ends its side.
  wheel.schedule(ANSWER_MS, () => stream.reset(MuxErrorCode.streamCancelled));
}
