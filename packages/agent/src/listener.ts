import { decodeBindResponse, decodeErrorResponse, decodeLabelBindResponse } from '@postern/protocol';
import { encodeBind, encodeLabelBind, encodeUnbind, StreamType } from '@postern/protocol';
import type { EndpointProto } from '@postern/protocol';
import { AgentError } from './agent-error.ts';
import { bindMessage, forwardsTo, protoOf } from './bind-message.ts';
import type { Connection } from './connection.ts';
import type { Listener, ListenOptions } from './options.ts';

/** A listener and what the server needs to see to give it back its address (agent-protocol.md §8). */
export class AgentListener implements Listener {
  id = '';
  url = '';
  /** Where visitors of its bytes come in, as far as its URL says; 0 for http endpoints and with labels. */
  port = 0;
  readonly options: ListenOptions;
  readonly closed: Promise<AgentError | undefined>;
  readonly #unbind: (listener: AgentListener) => Promise<void>;
  #token = '';
  #opts: Readonly<Record<string, unknown>> = {};
  #resolveClosed: (error: AgentError | undefined) => void = () => {};
  #over = false;
  /** Where it is bound, or about to be. */
  readonly #on = new WeakSet<Connection>();

  /** @param unbind takes the listener out of its session, and off the server where that is possible */
  constructor(options: ListenOptions, unbind: (listener: AgentListener) => Promise<void>) {
    this.options = options;
    this.#unbind = unbind;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  get proto(): EndpointProto {
    return protoOf(this.options);
  }

  get over(): boolean {
    return this.#over;
  }

  isOn(connection: Connection): boolean {
    return this.#on.has(connection);
  }

  /** The server has taken it off there. */
  left(connection: Connection): void {
    this.#on.delete(connection);
  }

  /** Binds on `connection`, for the first time or again. Throws AgentError when the server refuses. */
  async bind(connection: Connection): Promise<void> {
    this.#on.add(connection);
    try {
      await this.#bind(connection);
    } catch (error) {
      this.#on.delete(connection);
      throw error;
    }
  }

  async #bind(connection: Connection): Promise<void> {
    if (this.options.labels !== undefined) return this.#bindLabels(connection, this.options.labels);
    const resume = this.id === '' ? undefined : { id: this.id, token: this.#token, opts: this.#opts };
    const request = encodeBind(bindMessage(this.options, resume));
    const response = decodeBindResponse(await connection.ask(StreamType.bind, request));
    if (response.error !== undefined) throw AgentError.fromText(response.error);
    if (response.id === '') throw new AgentError('the server gave the listener no Id');
    // A server keeps Id and URL of a listener that comes back; whatever it says then, this agent follows.
    this.id = response.id;
    this.url = response.url;
    this.port = portOfBytes(response.url);
    this.#token = response.token;
    this.#opts = response.opts;
  }

  /** Takes it off the server. The server does not mind doing it twice. */
  async unbind(connection: Connection): Promise<void> {
    const error = decodeErrorResponse(await connection.ask(StreamType.unbind, encodeUnbind(this.id)));
    if (error !== '') throw AgentError.fromText(error);
  }

  async close(): Promise<void> {
    if (this.#over) return;
    this.finish(undefined);
    await this.#unbind(this);
  }

  finish(error: AgentError | undefined): void {
    this.#over = true;
    this.#resolveClosed(error);
  }

  async #bindLabels(connection: Connection, labels: Readonly<Record<string, string>>): Promise<void> {
    const request = encodeLabelBind({
      id: '',
      labels,
      forwardsTo: forwardsTo(this.options),
      forwardsProto: this.options.forwardsProto ?? '',
      metadata: this.options.metadata ?? '',
    });
    const response = decodeLabelBindResponse(await connection.ask(StreamType.bindLabels, request));
    if (response.error !== '') throw AgentError.fromText(response.error);
    if (response.id !== '') this.id = response.id;
  }
}

function portOfBytes(url: string): number {
  const [, scheme, port] = /^(tcp|tls):\/\/[^/]*?(?::(\d{1,5}))?$/.exec(url) ?? [];
  return scheme === 'tls' ? Number(port ?? 443) : Number(port ?? 0);
}
