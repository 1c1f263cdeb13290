/**
 * An agent built on the official SDK; its options come as JSON in SDK_AGENT. Prints `url=…` for each endpoint once it is
 * online. Stops when the server asks, with code 0; what is refused goes to stderr, with code 1.
 */
import ngrok from '@ngrok/ngrok';

const options = JSON.parse(process.env.SDK_AGENT ?? '{}');

async function run() {
  const builder = new ngrok.SessionBuilder()
    .authtoken(options.authtoken)
    .serverAddr(options.address)
    .caCert(Buffer.from(options.ca));
  if (options.heartbeatSeconds !== undefined) builder.heartbeatInterval(options.heartbeatSeconds);
  if (options.toleranceSeconds !== undefined) builder.heartbeatTolerance(options.toleranceSeconds);
  builder.handleDisconnection(() => true);
  // The answer leaves before the process does.
  builder.handleStopCommand(() => void setTimeout(() => process.exit(0), 100));
  const session = await builder.connect();
  for (const scheme of options.schemes ?? ['https']) {
    const listener = await endpoint(session, scheme).listenAndForward(options.upstream);
    process.stdout.write(`url=${listener.url()}\n`);
  }
}

function endpoint(session, scheme) {
  const wanted = options.proto === 'tcp' ? session.tcpEndpoint() : session.httpEndpoint().scheme(scheme.toUpperCase());
  if (options.domain !== undefined) wanted.domain(options.domain);
  if (options.remoteAddr !== undefined) wanted.remoteAddr(options.remoteAddr);
  if (options.auth !== undefined) wanted.basicAuth(...options.auth.split(':'));
  if (options.hostHeader !== undefined) wanted.requestHeader('host', options.hostHeader);
  if (options.pooling === true) wanted.poolingEnabled(true);
  if (options.binding !== undefined) wanted.binding(options.binding);
  if (options.metadata !== undefined) wanted.metadata(options.metadata);
  return wanted;
}

try {
  await run();
  setInterval(() => undefined, 60_000);
} catch (error) {
  process.stderr.write(`${error.message}\n${error.errorCode ?? ''}\n`);
  process.exit(1);
}
