/** Fixed once released: a change of the tables is a migration of its own. */
import type { Migration } from './step.ts';

export const sealedPolicies: Migration = {
  version: 2,
  name: 'traffic policies, which may hold passwords and private keys, are sealed',
  steps: [{ do: 'seal', table: 'endpoints', column: 'traffic_policy' }],
};
