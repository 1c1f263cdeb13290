/** Postern's own agent with several listeners; options come as JSON in OWN_AGENT. Prints `url=…` for each, in order. */
import { connectAgent, type ListenOptions } from '@postern/agent';

export interface OwnAgentOptions {
  readonly serverAddr: string;
  readonly ca: string;
  readonly authtoken: string;
  readonly listeners: readonly ListenOptions[];
}

const { listeners, ...options }: OwnAgentOptions = JSON.parse(process.env['OWN_AGENT'] ?? '{}');
const session = connectAgent({
  ...options,
  serverName: 'localhost',
  heartbeatInterval: 1000,
  heartbeatTolerance: 2000,
});
try {
  for (const listener of listeners) process.stdout.write(`url=${(await session.listen(listener)).url}\n`);
  const error = await session.closed;
  if (error !== undefined) throw error;
} catch (error) {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  process.stderr.write(`${String(error)} ${code}\n`);
  process.exit(1);
}
