import type { AgentCommand, EdgePort, NodeSettings, RouteEndpoint, RouteUpdate } from '@postern/link';

/** An edge that keeps what it is told, refuses what a test wants refused, and answers probes as it is told to. */
export class FakeEdge implements EdgePort {
  readonly routes = new Map<string, RouteEndpoint>();
  readonly updates: RouteUpdate[] = [];
  readonly settings: NodeSettings[] = [];
  readonly closed: { readonly sessionId: string; readonly reason: string }[] = [];
  readonly stopped: string[] = [];
  readonly commands: { readonly sessionId: string; readonly command: AgentCommand }[] = [];
  /** TCP ports that cannot be opened. */
  readonly busyPorts = new Set<number>();
  /** Sessions that do not answer a heartbeat. */
  readonly silent = new Set<string>();
  readonly probed: string[] = [];
  commandAnswer = '';
  /** While set, updates wait for it. */
  gate: Promise<void> | null = null;

  async applySettings(settings: NodeSettings): Promise<void> {
    this.settings.push(settings);
  }

  async applyRoutes(update: RouteUpdate): Promise<void> {
    this.updates.push(update);
    if (this.gate !== null) await this.gate;
    if (update.snapshot) this.routes.clear();
    for (const id of update.removes) this.routes.delete(id);
    const refused = update.upserts.find(({ proto, port }) => proto === 'tcp' && this.busyPorts.has(port));
    if (refused !== undefined) throw new Error(`listen EADDRINUSE: port ${refused.port}`);
    for (const route of update.upserts) this.routes.set(route.id, route);
  }

  async agentCommand(sessionId: string, command: AgentCommand): Promise<string> {
    this.commands.push({ sessionId, command });
    return this.commandAnswer;
  }

  stopTunnel(_sessionId: string, tunnelId: string): void {
    this.stopped.push(tunnelId);
  }

  closeSession(sessionId: string, reason: string): void {
    this.closed.push({ sessionId, reason });
  }

  async probeSession(sessionId: string): Promise<boolean> {
    this.probed.push(sessionId);
    return !this.silent.has(sessionId);
  }

  /** Routes by URL, for assertions. */
  urls(): string[] {
    return [...this.routes.values()].map(({ url }) => url).toSorted((a, b) => (a < b ? -1 : 1));
  }
}
