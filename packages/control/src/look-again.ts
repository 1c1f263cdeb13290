import type { RouteEndpoint } from '@postern/link';
import type { Core } from './core.ts';
import { routesOfEdges } from './labelled.ts';
import { messageOf, settle } from './change/confirm.ts';
import { routeOfCloud } from './routes.ts';

const EVERY_MS = 500;

/**
 * After a write whose end nobody heard of (the disk hung): asks the store until it answers again, then takes what is
 * there for the truth, for claims and for the edge. Until then the catalog refuses changes; traffic goes on.
 */
export async function lookAgain(core: Core, stopped: () => boolean): Promise<void> {
  core.log.warn({}, 'it is not known whether a write happened; changes are refused until the database answers');
  while (!stopped()) {
    try {
      // Commits are done in order: when this one, which changes nothing, is through, so is the one in doubt. Outside of
      // the claim step, which agents need meanwhile.
      await core.store.commit([]);
      const { applied } = await core.claims.runAlone(() => reload(core));
      core.log.info({}, 'the database answers again; what it holds is in force');
      await settle(core, applied);
      return;
    } catch (error) {
      core.log.warn({ error: messageOf(error) }, 'the database does not answer yet');
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS).unref());
  }
}

async function reload(core: Core): Promise<{ readonly applied: Promise<void> }> {
  const before = await storedRoutes(core);
  const known = [...core.catalog.resources.all()].map(({ id }) => id);
  await core.catalog.load();
  const upserts = await storedRoutes(core);
  const there = new Set(upserts.map(({ id }) => id));
  const removes = before.filter(({ id }) => !there.has(id)).map(({ id }) => id);
  const resources = [...known, ...[...core.catalog.resources.all()].map(({ id }) => id)];
  return {
    applied: core.edges.publish({ routes: { upserts, removes }, resources: core.catalog.resources.change(resources) }),
  };
}

/** Routes of everything that is at rest: cloud endpoints and edges. */
export async function storedRoutes(core: Core): Promise<RouteEndpoint[]> {
  const clouds = [...core.catalog.endpoints.all()].map((row) => routeOfCloud(row, core.config));
  return [...clouds, ...(await routesOfEdges(core, [...core.catalog.edges.all()]))];
}
