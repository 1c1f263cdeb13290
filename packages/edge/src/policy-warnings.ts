/**
 * Expressions that fail while a policy runs. Whoever sends requests decides how often that is: each place of a policy is
 * logged once a minute, with how often it happened since; all of them are counted.
 */
import type { EdgeContext } from './context.ts';

const QUIET_MS = 60_000;
/** Places that are remembered; beyond them the oldest speaks again. */
const MAX_PLACES = 1_000;

interface Place {
  until: number;
  unsaid: number;
}

interface Warnings {
  total: number;
  readonly places: Map<string, Place>;
}

const byEdge = new WeakMap<EdgeContext, Warnings>();

function warningsOf(edge: EdgeContext): Warnings {
  let warnings = byEdge.get(edge);
  if (warnings === undefined) byEdge.set(edge, (warnings = { total: 0, places: new Map() }));
  return warnings;
}

/** How many there were since the start. */
export function policyWarningCount(edge: EdgeContext): number {
  return byEdge.get(edge)?.total ?? 0;
}

/** @param message begins with the place in the policy, up to the first blank */
export function warnOfPolicy(edge: EdgeContext, endpoint: string, message: string): void {
  const warnings = warningsOf(edge);
  warnings.total++;
  const key = `${endpoint} ${message.slice(0, message.indexOf(' '))}`;
  const now = edge.now();
  const place = warnings.places.get(key);
  if (place !== undefined && now < place.until) {
    place.unsaid++;
    return;
  }
  if (place === undefined && warnings.places.size >= MAX_PLACES) {
    const [oldest] = warnings.places.keys();
    if (oldest !== undefined) warnings.places.delete(oldest);
  }
  warnings.places.set(key, { until: now + QUIET_MS, unsaid: 0 });
  edge.log.warn({ endpoint, ...(place === undefined ? {} : { unsaid: place.unsaid }) }, message);
}
