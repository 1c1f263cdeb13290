/**
 * Connections of all edges of a node, by listener and network. An edge lets in who comes and says so; one too many is
 * revoked, and from then on every edge knows that it may take none until it is told otherwise. So nobody waits for an
 * answer, and a limit is passed for as long as a message takes.
 */
import type { GateLimits } from '../listeners/gate.ts';
import { Tally } from '../tally.ts';
import type { CountedAt, Order, ShareEdge, Told } from './shares.ts';

type Opened = Extract<Told, { kind: 'opened' }>;

interface BookSide {
  opened(connection: Opened): void;
  closed(id: number): void;
  gone(): void;
}

interface Member {
  readonly edge: Pick<ShareEdge, 'name' | 'order'>;
  readonly open: Map<number, Opened>;
}

const ALL = '';

export class ConnectionBook {
  readonly #limits: GateLimits;
  /** By listener, then network; `ALL` counts every connection of the listener. */
  readonly #listeners = new Map<string, Tally>();
  readonly #members = new Set<Member>();

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  join(edge: Member['edge']): BookSide {
    const member: Member = { edge, open: new Map() };
    this.#members.add(member);
    return {
      opened: (connection) => this.#opened(member, connection),
      closed: (id) => this.#closed(member, id),
      gone: () => {
        this.#members.delete(member);
        for (const id of member.open.keys()) this.#closed(member, id);
      },
    };
  }

  #opened(member: Member, connection: Opened): void {
    const { listener, network, exempt, id, from } = connection;
    const counts = this.#countsOf(listener);
    const { connections, connectionsPerIp } = this.#limits;
    const all = counts.of(ALL) >= connections;
    if (from !== null && this.#forget(from)) return void member.open.set(id, connection);
    // One that was let in is not ended for having moved.
    if (from === null && (all || (!exempt && counts.of(network) >= connectionsPerIp))) {
      // An edge that came later has not heard of it.
      const full: Order = { kind: 'full', listener, network: all ? ALL : network, full: true };
      member.edge.order([{ kind: 'revoke', id }, full]);
      return;
    }
    member.open.set(id, connection);
    counts.add(ALL, 1);
    counts.add(network, 1);
    if (counts.of(ALL) === connections) this.#say(listener, ALL, true);
    if (counts.of(network) === connectionsPerIp) this.#say(listener, network, true);
  }

  #closed(member: Member, id: number): void {
    const connection = member.open.get(id);
    if (connection === undefined) return;
    member.open.delete(id);
    const { listener, network } = connection;
    const counts = this.#countsOf(listener);
    counts.add(ALL, -1);
    counts.add(network, -1);
    const { connections, connectionsPerIp } = this.#limits;
    if (counts.of(ALL) === connections - 1) this.#say(listener, ALL, false);
    if (counts.of(network) === connectionsPerIp - 1) this.#say(listener, network, false);
  }

  /** What it counts for goes on elsewhere. @returns whether it was counted there still */
  #forget({ edge, id }: CountedAt): boolean {
    for (const member of this.#members) if (member.edge.name === edge) return member.open.delete(id);
    return false;
  }

  #say(listener: string, network: string, full: boolean): void {
    for (const { edge } of this.#members) edge.order([{ kind: 'full', listener, network, full }]);
  }

  #countsOf(listener: string): Tally {
    let counts = this.#listeners.get(listener);
    if (counts === undefined) this.#listeners.set(listener, (counts = new Tally()));
    return counts;
  }
}
