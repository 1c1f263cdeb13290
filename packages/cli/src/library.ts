/** `postern/agent`: the agent as an ES module, with the servers and tokens that the command finds (docs/use.md). */
import {
  type AgentError,
  type AgentSession,
  type AgentStatus,
  connectAgent,
  type ForwardFunction,
  type Listener,
  type ListenOptions,
  normalizeTarget,
} from '@postern/agent';
import { proxyChooser } from './agent/choose-proxy.ts';
import { findServer } from './find-server.ts';
import { VERSION } from './version.ts';

export interface ConnectOptions {
  /** `host:port`, or several of one server; absent = as `postern http` finds it. */
  readonly server?: string | readonly string[];
  /** Connections that are kept, to different addresses where there are: 1 (default) to 4. */
  readonly sessions?: number;
  /** `http://`, `https://` or `socks5://user:password@host:port`, or false; by default as HTTPS_PROXY and NO_PROXY say. */
  readonly proxy?: string | false;
  readonly authtoken?: string;
  /** PEM of the server's authority. */
  readonly ca?: string;
  readonly metadata?: string;
  readonly onStatus?: (status: AgentStatus) => void;
}

export interface ShareOptions extends Omit<ListenOptions, 'upstream'> {
  /** As behind `postern http`: `3000`, host:port, a URL; or what serves each connection in this process. */
  readonly to: number | string | ForwardFunction;
}

/** An endpoint that ends with the block that it is declared in: `await using shared = await forward({ to: 3000 })`. */
export interface Shared extends AsyncDisposable {
  readonly url: string;
  /** Resolves when it is over: undefined after `close`, an error when the server or the session ended it. */
  readonly closed: Promise<AgentError | undefined>;
  close(): Promise<void>;
}

export interface Connected extends AsyncDisposable {
  listen(options: ShareOptions): Promise<Shared>;
  close(): Promise<void>;
}

/**
 * Connects to a server, and stays connected.
 * @throws AgentError when the server refuses, Error that says what to give when none is found
 */
export async function connect(options: ConnectOptions = {}): Promise<Connected> {
  const { server, authtoken, ca, metadata, onStatus, sessions, proxy } = options;
  const place = await findServer({
    ...(server === undefined ? {} : { connectUrls: typeof server === 'string' ? [server] : server }),
    ...(authtoken === undefined ? {} : { authtoken }),
  });
  const authority = ca ?? place.ca;
  const session = connectAgent({
    serverAddr: place.addresses,
    proxy: proxyChooser(proxy === false ? 'false' : proxy),
    ...(sessions === undefined ? {} : { sessions }),
    authtoken: place.authtoken,
    ...(place.serverName === undefined ? {} : { serverName: place.serverName }),
    ...(authority === undefined ? {} : { ca: authority }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(onStatus === undefined ? {} : { onStatus }),
    userAgent: `postern/${VERSION}`,
    agentVersion: VERSION,
  });
  await session.online();
  const close = (): Promise<void> => session.close();
  return { listen: (wish) => listen(session, wish), close, [Symbol.asyncDispose]: close };
}

/** Shares one service, over a connection of its own that ends with it. */
export async function forward(options: ShareOptions & ConnectOptions): Promise<Shared> {
  const agent = await connect(options);
  try {
    const { url, closed } = await agent.listen(options);
    return { url, closed, close: () => agent.close(), [Symbol.asyncDispose]: () => agent.close() };
  } catch (error) {
    await agent.close();
    throw error;
  }
}

async function listen(session: AgentSession, { to, ...options }: ShareOptions): Promise<Shared> {
  const proto = options.proto ?? protoOf(options.url);
  const upstream = typeof to === 'function' ? to : normalizeTarget(String(to), proto);
  const listener: Listener = await session.listen({ ...options, ...(proto === undefined ? {} : { proto }), upstream });
  const close = (): Promise<void> => listener.close();
  return { url: listener.url, closed: listener.closed, close, [Symbol.asyncDispose]: close };
}

function protoOf(url: string | undefined): ListenOptions['proto'] {
  const scheme = /^(tcp|tls):/i.exec(url ?? '')?.[1]?.toLowerCase();
  return scheme === 'tcp' || scheme === 'tls' ? scheme : undefined;
}
