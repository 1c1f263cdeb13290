/** An agent built on the official SDK; its options come as JSON in SDK_AGENT. Prints `url=…` once it is online. */
import ngrok from '@ngrok/ngrok';

const options = JSON.parse(process.env.SDK_AGENT ?? '{}');
const builder = new ngrok.SessionBuilder()
  .authtoken(options.authtoken)
  .serverAddr(options.address)
  .caCert(Buffer.from(options.ca));
if (options.heartbeatSeconds !== undefined) builder.heartbeatInterval(options.heartbeatSeconds);
if (options.toleranceSeconds !== undefined) builder.heartbeatTolerance(options.toleranceSeconds);
const session = await builder.connect();
const endpoint = options.proto === 'tcp' ? session.tcpEndpoint() : session.httpEndpoint();
if (options.domain !== undefined) endpoint.domain(options.domain);
if (options.pooling === true) endpoint.poolingEnabled(true);
const listener = await endpoint.listenAndForward(options.upstream);
process.stdout.write(`url=${listener.url()}\n`);
setInterval(() => undefined, 60_000);
