import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AgentOptions, AgentSession, AgentStatus, Listener, ListenOptions } from '@postern/agent';
import { type TunnelLog, createTunnelLog } from '../tunnel-log.ts';
import { type ServerPlace, findServer } from '../find-server.ts';
import { VERSION } from '../version.ts';

type Proto = 'http' | 'tcp' | 'tls';
type ConnectAgent = (options: AgentOptions) => AgentSession;

/** What the flags of `postern http|tcp|tls` say. */
interface TunnelOptions {
  readonly url?: string;
  readonly name?: string;
  readonly description?: string;
  readonly metadata?: string;
  readonly binding?: string;
  readonly poolingEnabled?: boolean;
  readonly trafficPolicyFile?: string;
  readonly upstreamProtocol?: 'http1' | 'http2';
  readonly upstreamProxyProtocol?: '1' | '2';
  readonly upstreamTlsVerify?: boolean;
  readonly upstreamTlsVerifyCas?: string;
  readonly crt?: string;
  readonly key?: string;
  readonly authtoken?: string;
  readonly connectUrl?: string;
  readonly connectCas?: string;
  readonly logFormat?: 'term' | 'logfmt' | 'json';
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

const SUMMARY: Readonly<Record<Proto, string>> = {
  http: 'share a web service: postern http 3000',
  tcp: 'share any TCP service: postern tcp 5432',
  tls: 'share a TLS service, found by its name: postern tls 8443 --url tls://name.example.com',
};

/** `postern http`, `postern tcp`, `postern tls`: a plain agent for one service. */
export function addTunnelCommands(program: Command): void {
  for (const proto of ['http', 'tcp', 'tls'] as const) addTunnelCommand(program, proto);
}

function addTunnelCommand(program: Command, proto: Proto): void {
  const command = program
    .command(proto)
    .description(SUMMARY[proto])
    .argument('<target>', proto === 'http' ? 'port, host:port, or http(s):// URL' : 'port or host:port')
    .option(
      '--url <url>',
      `public URL wanted${proto === 'http' ? ' (https unless it says http://)' : ''}; chosen by the server if absent`,
    )
    .option('--name <name>', 'name shown by the API', 'command_line')
    .option('--description <text>', 'description shown by the API')
    .option('--metadata <text>', 'opaque text shown by the API, at most 4096 bytes')
    .addOption(
      new Option('--binding <binding>', 'who may reach it (default: public, internal for *.internal)').choices([
        'public',
        'internal',
        'kubernetes',
      ]),
    )
    .option('--pooling-enabled', 'share the URL with other agents that say so too')
    .option('--traffic-policy-file <file>', 'traffic policy, YAML or JSON')
    .addOption(
      new Option('--upstream-proxy-protocol <version>', 'PROXY protocol header that the service wants').choices([
        '1',
        '2',
      ]),
    );
  if (proto === 'http') {
    command.addOption(
      new Option('--upstream-protocol <protocol>', 'what the service speaks').choices(['http1', 'http2']),
    );
  }
  if (proto === 'tls') {
    command
      .option('--crt <file>', 'end TLS at the server with this certificate (PEM); needs --key')
      .option('--key <file>', 'key of --crt (PEM)');
  }
  if (proto !== 'tcp') {
    command
      .option('--upstream-tls-verify', 'check the certificate of an https or tls service')
      .option('--upstream-tls-verify-cas <file>', 'authority (PEM) to check it against');
  }
  command
    .addOption(new Option('--authtoken <token>', 'authtoken (default: of the local server)').env('NGROK_AUTHTOKEN'))
    .addOption(
      new Option('--connect-url <host:port>', 'server to connect to (default: the newest local one)').env(
        'POSTERN_CONNECT_URL',
      ),
    )
    .addOption(
      new Option('--connect-cas <file>', 'authority (PEM file) of the server, or "host" for the system’s').env(
        'POSTERN_CONNECT_CAS',
      ),
    )
    .addOption(
      new Option('--log-format <format>', 'log lines on stdout (default: plain lines for people)').choices([
        'term',
        'logfmt',
        'json',
      ]),
    )
    .addOption(
      new Option('--log-level <level>', 'least severe log line')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .action((target: string, options: TunnelOptions) => run(proto, target, options));
}

async function run(proto: Proto, target: string, options: TunnelOptions): Promise<void> {
  const log = createTunnelLog(options.logFormat ?? 'term', options.logLevel);
  try {
    process.exitCode = await share(proto, target, options, log);
  } catch (error) {
    log.fatal(error as Error & { code?: string });
    process.exitCode = error instanceof InvalidArgumentError ? 2 : 1;
  }
}

async function share(proto: Proto, target: string, options: TunnelOptions, log: TunnelLog): Promise<number> {
  const { connectAgent, normalizeTarget } = await import('@postern/agent');
  const upstream = normalizeTarget(target, proto);
  const listenOptions = await readListenOptions(proto, upstream, options);
  const place = await findServer(options);
  const session = connect(connectAgent, place, options, log);
  const stopped = waitForSignal();
  const online = session.listen(listenOptions);
  const first = await Promise.race([online, stopped]);
  if (typeof first !== 'string') {
    log.online(first.url, upstream, listenOptions.name ?? '');
    const ended = await Promise.race([stopped, session.closed.then(() => null), first.closed.then(() => null)]);
    if (ended === null) return explainEnd(session, first);
  }
  log.info({}, 'session closing');
  // A listener that never came about is no failure of a stop.
  online.catch(() => undefined);
  await session.close();
  return 0;
}

function connect(connectAgent: ConnectAgent, place: ServerPlace, options: TunnelOptions, log: TunnelLog): AgentSession {
  return connectAgent({
    serverAddr: place.address,
    ...(place.serverName === undefined ? {} : { serverName: place.serverName }),
    ...(place.ca === undefined ? {} : { ca: place.ca }),
    authtoken: place.authtoken,
    userAgent: `postern/${VERSION}`,
    agentVersion: VERSION,
    ...(options.metadata === undefined ? {} : { metadata: options.metadata }),
    log,
    onStatus: (status: AgentStatus) => {
      if (status.state === 'online') log.info({ obj: 'csess' }, 'client session established');
      if (status.state === 'reconnecting') {
        log.warn(
          { err: status.error?.message ?? '', retry_ms: status.retryIn ?? 0 },
          'session closed, starting reconnect loop',
        );
      }
    },
  });
}

/** The listener was ended by the server, or the session by an error that waiting cannot change. */
async function explainEnd(session: AgentSession, listener: Listener): Promise<number> {
  const error = session.state === 'closed' ? await session.closed : await listener.closed;
  await session.close();
  if (error === undefined) return 0;
  throw error;
}

async function readListenOptions(proto: Proto, upstream: string, options: TunnelOptions): Promise<ListenOptions> {
  const url = options.url === undefined ? undefined : fullUrl(proto, options.url);
  if ((options.crt === undefined) !== (options.key === undefined)) {
    throw new InvalidArgumentError('--crt and --key belong together; give both.');
  }
  const read = (file: string): Promise<string> => readFile(file, 'utf8');
  const [policy, cert, key, upstreamCa] = await Promise.all(
    [options.trafficPolicyFile, options.crt, options.key, options.upstreamTlsVerifyCas].map((file) =>
      file === undefined ? undefined : read(file),
    ),
  );
  const scheme = url === undefined ? undefined : url.slice(0, url.indexOf(':'));
  return {
    proto: proto === 'http' ? (scheme === 'http' ? 'http' : 'https') : proto,
    upstream,
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(url === undefined ? {} : { url }),
    ...(options.description === undefined ? {} : { description: options.description }),
    ...(options.metadata === undefined ? {} : { metadata: options.metadata }),
    ...(options.binding === undefined ? {} : { bindings: [options.binding] }),
    ...(options.poolingEnabled === true ? { poolingEnabled: true } : {}),
    ...(policy === undefined ? {} : { trafficPolicy: policy }),
    ...(options.upstreamProtocol === undefined ? {} : { forwardsProto: options.upstreamProtocol }),
    ...(options.upstreamProxyProtocol === undefined
      ? {}
      : { proxyProto: options.upstreamProxyProtocol === '1' ? 1 : 2 }),
    ...(options.upstreamTlsVerify === true ? { verifyUpstream: true } : {}),
    ...(upstreamCa === undefined ? {} : { upstreamCa }),
    ...(cert === undefined || key === undefined ? {} : { tlsTermination: { cert, key } }),
  };
}

/** `app.example.com` → `https://app.example.com`; a scheme must fit the command. */
function fullUrl(proto: Proto, text: string): string {
  const scheme = /^([a-z]+):\/\//.exec(text)?.[1];
  if (scheme === undefined) return `${proto === 'http' ? 'https' : proto}://${text}`;
  const fits = proto === 'http' ? scheme === 'http' || scheme === 'https' : scheme === proto;
  if (!fits) throw new InvalidArgumentError(`--url ${text} does not fit "postern ${proto}".`);
  return text;
}

function waitForSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal));
  });
}
