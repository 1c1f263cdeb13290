/**
 * Where an agent can reach this server besides the address that it dialled (AuthResp, `ConnectAddresses`): an agent
 * that keeps two legs uses the second for its second one (agent-protocol.md §8).
 */
export interface ConnectPoints {
  /** Names under which agents dial; `localhost` is for this machine alone. */
  readonly names: readonly string[];
  /** Of the agent listeners, as bound. */
  readonly ports: () => readonly number[];
}

/**
 * @param dialled name or address, and port, that the agent came to
 * @returns "host:port" of each, the one dialled first
 */
export function connectAddresses(
  points: ConnectPoints,
  dialled: { readonly host: string; readonly port: number },
): string[] {
  const { host, port } = dialled;
  const isLocal = host === 'localhost' || host === '';
  const others = isLocal ? [] : points.names.filter((name) => name !== 'localhost');
  const all = new Set<string>([format(host, port)]);
  for (const name of [host, ...others]) for (const one of [port, ...points.ports()]) all.add(format(name, one));
  return host === '' ? [] : [...all];
}

function format(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
