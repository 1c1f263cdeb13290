/** The official JavaScript agent SDK as a program of the clients' suite: test/clients/README.md has the contract. */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import readline from 'node:readline';
import ngrok from '@ngrok/ngrok';

const sessions = new Map();
const listeners = new Map();
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

const OPERATIONS = {
  async connect(asked) {
    const { session } = asked;
    const builder = new ngrok.SessionBuilder()
      .serverAddr(asked.address)
      .caCert(readFileSync(asked.ca))
      .authtoken(asked.authtoken)
      .metadata(asked.metadata);
    if (asked.heartbeat_interval_ms !== undefined) builder.heartbeatInterval(asked.heartbeat_interval_ms / 1000);
    if (asked.heartbeat_tolerance_ms !== undefined) builder.heartbeatTolerance(asked.heartbeat_tolerance_ms / 1000);
    builder.handleHeartbeat((ms) => say({ event: 'heartbeat', session, ms }));
    builder.handleStopCommand(() => say({ event: 'command', session, command: 'stop' }));
    builder.handleRestartCommand(() => say({ event: 'command', session, command: 'restart' }));
    builder.handleUpdateCommand(() => say({ event: 'command', session, command: 'update' }));
    builder.handleDisconnection((_address, reason) => {
      say({ event: 'disconnected', session, reason });
      return true;
    });
    sessions.set(session, await builder.connect());
    return {};
  },
  async listen(asked) {
    const builder = endpoint(sessions.get(asked.session), asked);
    const upstream = asked.upstream ?? (await serve(asked.proto));
    // What it forwards to is what it says it does, unless it is told to listen only.
    const says = asked.forwards_to !== undefined;
    const listener = await (says ? builder.listen() : builder.listenAndForward(upstream));
    if (says) void listener.forward(upstream);
    listeners.set(asked.listener, listener);
    return {
      id: listener.id(),
      url: listener.url(),
      proto: listener.proto(),
      metadata: listener.metadata(),
      forwards_to: listener.forwardsTo(),
    };
  },
  async unlisten(asked) {
    await listeners.get(asked.listener).close();
    listeners.delete(asked.listener);
    return {};
  },
  async disconnect(asked) {
    const session = sessions.get(asked.session);
    sessions.delete(asked.session);
    // The session's own close says nothing to the server: its listeners go first.
    for (const listener of await session.listeners()) await session.closeListener(listener.id());
    await session.close();
    return {};
  },
};

function endpoint(session, asked) {
  if (session === undefined) throw new Error('no such session');
  const host = asked.url === undefined ? undefined : new URL(asked.url).host;
  const builder =
    asked.proto === 'tcp'
      ? session.tcpEndpoint()
      : asked.proto === 'tls'
        ? session.tlsEndpoint()
        : session.httpEndpoint().scheme(asked.proto.toUpperCase());
  if (asked.proto === 'tcp' && host !== undefined) builder.remoteAddr(host);
  if (asked.proto !== 'tcp' && host !== undefined) builder.domain(host);
  if (asked.metadata !== undefined) builder.metadata(asked.metadata);
  if (asked.forwards_to !== undefined) builder.forwardsTo(asked.forwards_to);
  if (asked.traffic_policy !== undefined) builder.trafficPolicy(asked.traffic_policy);
  if (asked.pooling === true) builder.poolingEnabled(true);
  if (asked.proxy_proto !== undefined) builder.proxyProto(asked.proxy_proto);
  if (asked.upstream_proto !== undefined) builder.appProtocol(asked.upstream_proto);
  if (asked.mutual_tls_ca !== undefined) builder.mutualTlsca(readFileSync(asked.mutual_tls_ca));
  if (asked.tls === 'edge') builder.termination(readFileSync(asked.cert), readFileSync(asked.key));
  if (asked.basic_auth !== undefined) builder.basicAuth(...asked.basic_auth);
  if (asked.compression === true) builder.compression();
  for (const cidr of asked.allow_cidrs ?? []) builder.allowCidr(cidr);
  for (const cidr of asked.deny_cidrs ?? []) builder.denyCidr(cidr);
  for (const [name, value] of Object.entries(asked.request_headers?.add ?? {})) builder.requestHeader(name, value);
  for (const name of asked.request_headers?.remove ?? []) builder.removeRequestHeader(name);
  for (const [name, value] of Object.entries(asked.response_headers?.add ?? {})) builder.responseHeader(name, value);
  for (const name of asked.response_headers?.remove ?? []) builder.removeResponseHeader(name);
  return builder;
}

/** A service of this process: the SDK has none of its own to give. */
async function serve(proto) {
  const web = proto === 'http' || proto === 'https';
  const server = web
    ? http.createServer((request, response) =>
        response.end(`${request.method} ${request.url} of ${request.headers.host}`),
      )
    : net.createServer({ allowHalfOpen: true }, (socket) => {
        socket.on('error', () => socket.destroy());
        socket.pipe(socket);
      });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `${web ? 'http' : 'tcp'}://127.0.0.1:${server.address().port}`;
}

/** The SDK's own `errorCode` is there after connect and listen only; its text has the code always. */
function codeOf(error) {
  return error.errorCode ?? /error_code: (ERR_NGROK_\d+)$/.exec(error.message)?.[1] ?? '';
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  OPERATIONS[asked.op](asked).then(
    (ok) => say({ id: asked.id, ok }),
    (error) => say({ id: asked.id, error: { code: codeOf(error), message: error.message } }),
  );
}
