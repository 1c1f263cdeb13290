/** Numbers of several edges as those of one. */
import type { EdgeStats, ListenerStats } from '@postern/edge';

/** Every edge knows all endpoints; all else is each one's own. */
export function sumStats(all: readonly EdgeStats[]): EdgeStats {
  const sum = (value: (stats: EdgeStats) => number): number => all.reduce((total, stats) => total + value(stats), 0);
  return {
    agentSessions: sum(({ agentSessions }) => agentSessions),
    agentStreams: sum(({ agentStreams }) => agentStreams),
    crossedStreams: sum(({ crossedStreams }) => crossedStreams),
    movedConnections: sum(({ movedConnections }) => movedConnections),
    places: {
      used: sum(({ places }) => places.used),
      free: sum(({ places }) => places.free),
      waiting: sum(({ places }) => places.waiting),
      refused: sum(({ places }) => places.refused),
      reclaimed: sum(({ places }) => places.reclaimed),
    },
    listeners: sumListeners(all),
    endpoints: all.reduce((most, { endpoints }) => Math.max(most, endpoints), 0),
    faults: sum(({ faults }) => faults),
    policyWarnings: sum(({ policyWarnings }) => policyWarnings),
    buckets: { kept: sum(({ buckets }) => buckets.kept), forgotten: sum(({ buckets }) => buckets.forgotten) },
    lostEvents: sum(({ lostEvents }) => lostEvents),
    outside: { asked: sum(({ outside }) => outside.asked), refused: sum(({ outside }) => outside.refused) },
  };
}

/** Connections of visitors that are open. */
export function visitorsOf({ listeners }: EdgeStats): number {
  return listeners.reduce((sum, { visitors, open }) => (visitors ? sum + open : sum), 0);
}

/** What is left of a worker that has ended: what it had counted since its start, and nothing that was open. */
export function lasting(stats: EdgeStats): EdgeStats {
  return {
    ...stats,
    agentSessions: 0,
    agentStreams: 0,
    places: { ...stats.places, used: 0, free: 0, waiting: 0 },
    listeners: stats.listeners.map((listener) => ({ ...listener, open: 0 })),
    endpoints: 0,
    buckets: { ...stats.buckets, kept: 0 },
  };
}

function sumListeners(all: readonly EdgeStats[]): readonly ListenerStats[] {
  const sums = new Map<string, ListenerStats>();
  for (const { listeners } of all) {
    for (const { name, visitors, open, refused, crowdedOut } of listeners) {
      const before = sums.get(name);
      sums.set(name, {
        name,
        visitors,
        open: open + (before?.open ?? 0),
        refused: refused + (before?.refused ?? 0),
        crowdedOut: crowdedOut + (before?.crowdedOut ?? 0),
      });
    }
  }
  return [...sums.values()];
}
