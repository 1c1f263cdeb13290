/**
 * Answers the RPC streams of one agent connection, within bounds: so many at once, so many bytes each, so long until
 * the question is complete. Failures are answered in band (agent-protocol.md §4).
 */
import { fail, isPosternError } from '@postern/errors';
import {
  acceptRpc,
  decodeAuth,
  encodeAuthResponse,
  encodeErrorResponse,
  errorText,
  MuxErrorCode,
  StreamType,
  type AuthRequest,
  type MuxStream,
} from '@postern/protocol';
import type { AgentSessionAccepted, ControlLink } from '@postern/link';
import type { EdgeLimits, FaultReports, TimerHandle, TimerWheel } from '../context.ts';
import { RPC_METHODS, type RpcMethod } from './rpc-methods.ts';

/** Questions under way at once: an agent with a thousand endpoints binds them all anew when it comes back. */
const MOST_CALLS = 2_048;
/** What they may hold together, in bytes; a message alone has its own limit. */
const MOST_BYTES = 16_777_216;
/** Answered, and the agent has not ended its side yet: beyond these the oldest is ended for it. */
const MOST_UNENDED = 2_048;
/** On a connection that has not authenticated: SrvInfo, an Auth or a few, and then it has to be somebody. */
const MOST_ANONYMOUS = 16;
/** An Auth message has about 1 KiB. */
const AUTH_BYTES = 65_536;
/** Until a question is complete, and for the agent's FIN after the answer. */
const MESSAGE_MS = 30_000;
/** Versions that this server speaks, preferred first. */
const VERSIONS = ['3', '2'];

/** The same for all sessions. */
export interface RpcServerOptions {
  readonly link: ControlLink;
  readonly faults: FaultReports;
  readonly region: string;
  readonly limits: Pick<EdgeLimits, 'rpcBytes'>;
}

/** The session whose questions are answered. */
export interface RpcHost {
  /** '' before Auth. */
  readonly id: string;
  /** Makes the session. Called at most once at a time; throws PosternError. */
  authenticate(request: AuthRequest): Promise<AgentSessionAccepted>;
  /** As AuthResp offers them; empty where there is only one. */
  connectAddresses(): readonly string[];
  /** Milliseconds until a question of this kind may be answered; null = it is refused. */
  turn(binds: boolean): number | null | Promise<number | null>;
  /** The agent has taken this endpoint of its own back. */
  unbound(tunnelId: string): void;
  /** Ends the connection. */
  end(reason: string): void;
}

export class RpcServer {
  readonly #host: RpcHost;
  readonly #options: RpcServerOptions;
  readonly #wheel: TimerWheel;
  #calls = 0;
  #bytes = 0;
  #anonymous = 0;
  /** Answered streams that the agent has not ended, oldest first; null = none. */
  #unended: Map<MuxStream, TimerHandle> | null = null;
  #authenticating = false;
  /** Auth has begun, and is not answered yet. */
  #authPending = false;
  /** Questions that came meanwhile. */
  #held: (() => void)[] = [];

  /** @param wheel guarded by the session */
  constructor(host: RpcHost, options: RpcServerOptions, wheel: TimerWheel) {
    this.#host = host;
    this.#options = options;
    this.#wheel = wheel;
  }

  /** Takes a stream whose type is none of heartbeat. */
  accept(stream: MuxStream): void {
    if (this.#host.id === '' && ++this.#anonymous > MOST_ANONYMOUS) {
      return this.#host.end('too many questions before Auth');
    }
    if (stream.type === StreamType.auth) return this.#auth(stream);
    const method = RPC_METHODS.get(stream.type);
    if (method === undefined) return this.#refuseType(stream);
    const limit = this.#host.id === '' ? AUTH_BYTES : this.#options.limits.rpcBytes;
    this.#collect(
      stream,
      limit,
      (text) => method.refuse(text),
      (message) => this.#run(method, message),
    );
  }

  /** A stream of this connection is over. */
  over(stream: MuxStream): void {
    this.#unended?.get(stream)?.cancel();
    this.#settled(stream);
  }

  async #run(method: RpcMethod, message: unknown): Promise<Buffer> {
    const { link, region } = this.#options;
    if (method.needsSession && this.#host.id === '' && this.#authPending) await this.#authAnswered();
    const sessionId = this.#host.id;
    if (method.needsSession && sessionId === '') throw fail(109, { reason: `${method.name} came before Auth` });
    if (sessionId !== '') await this.#turn(method.binds);
    const onUnbound = (tunnelId: string): void => this.#host.unbound(tunnelId);
    return method.run({ link, sessionId, region, message, onUnbound });
  }

  /** Old agents ask for their listeners while Auth is still being answered; it is, one way or the other, soon. */
  #authAnswered(): Promise<void> {
    return new Promise((resolve) => this.#held.push(resolve));
  }

  #letGo(): void {
    this.#authPending = false;
    for (const proceed of this.#held.splice(0)) proceed();
  }

  async #turn(binds: boolean): Promise<void> {
    const wait = await this.#host.turn(binds);
    if (wait === null) throw fail(90053);
    if (wait > 0) await new Promise<void>((resolve) => this.#wheel.schedule(wait, resolve));
  }

  #auth(stream: MuxStream): void {
    this.#authPending = this.#host.id === '';
    const refuse = (text: string): Buffer => {
      this.#letGo();
      return refuseAuth(text);
    };
    this.#collect(stream, AUTH_BYTES, refuse, async (message) => {
      if (this.#authenticating || this.#host.id !== '')
        throw fail(109, { reason: 'Auth came twice on one connection' });
      this.#authenticating = true;
      try {
        const request = decodeAuth(message);
        const version = chooseVersion(request.versions);
        const accepted = await this.#host.authenticate(request);
        this.#letGo();
        const { clientId, cookie, region, accountName, banner, sessionId } = accepted;
        return encodeAuthResponse({
          version,
          clientId,
          cookie,
          region,
          accountName,
          banner,
          sessionId,
          connectAddresses: this.#host.connectAddresses(),
        });
      } finally {
        this.#authenticating = false;
      }
    });
  }

  /** Reads one message, has it answered and ends the stream. */
  #collect(
    stream: MuxStream,
    limit: number,
    refuse: (text: string) => Buffer,
    answer: (message: unknown) => Promise<Buffer>,
  ): void {
    if (this.#calls >= MOST_CALLS) {
      stream.reset(MuxErrorCode.enhanceYourCalm);
      return;
    }
    this.#calls++;
    let bytes = 0;
    const finish = (last: Buffer): void => {
      this.#calls--;
      this.#bytes -= bytes;
      stream.end(last);
      this.#expectEnd(stream);
    };
    const incomplete = this.#wheel.schedule(MESSAGE_MS, () => {
      this.#calls--;
      this.#bytes -= bytes;
      stream.reset(MuxErrorCode.streamCancelled);
    });
    acceptRpc(stream, limit, {
      onBytes: (n) => {
        bytes += n;
        this.#bytes += n;
        return this.#bytes <= MOST_BYTES;
      },
      onMessage: (message) => {
        incomplete.cancel();
        answer(message)
          .then(finish, (error: unknown) => finish(refuse(this.#text(error))))
          .catch((error: unknown) => {
            this.#options.faults.report(error, 'an RPC of an agent', { session: this.#host.id });
            stream.reset(MuxErrorCode.internal);
          });
      },
      onFailure: (error) => {
        incomplete.cancel();
        finish(refuse(this.#text(error)));
      },
    });
  }

  /** Agents FIN after the answer; one that does not must not collect open streams here. */
  #expectEnd(stream: MuxStream): void {
    if (stream.closed) return;
    const close = (): void => {
      this.#settled(stream);
      stream.reset(MuxErrorCode.streamCancelled);
    };
    const unended = (this.#unended ??= new Map());
    unended.set(stream, this.#wheel.schedule(MESSAGE_MS, close));
    if (unended.size <= MOST_UNENDED) return;
    const [oldest] = unended.keys();
    if (oldest === undefined) return;
    this.over(oldest);
    oldest.reset(MuxErrorCode.streamCancelled);
  }

  #settled(stream: MuxStream): void {
    this.#unended?.delete(stream);
    if (this.#unended?.size === 0) this.#unended = null;
  }

  #refuseType(stream: MuxStream): void {
    const error = fail(109, { reason: `the stream type ${stream.type} is not known here` });
    this.#collect(stream, AUTH_BYTES, encodeErrorResponse, () => Promise.reject(error));
  }

  #text(error: unknown): string {
    if (isPosternError(error)) return errorText(error);
    this.#options.faults.report(error, 'an RPC of an agent', { session: this.#host.id });
    return 'Something went wrong inside the server; its log has the cause. Try again in a moment.';
  }
}

function refuseAuth(text: string): Buffer {
  return encodeAuthResponse({ version: '3', clientId: '', error: text });
}

function chooseVersion(offered: readonly string[]): string {
  const version = VERSIONS.find((one) => offered.includes(one));
  if (version === undefined) throw fail(120, { versions: offered.join(', ') || 'of no version' });
  return version;
}
