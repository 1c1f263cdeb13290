import type { Keys } from '@postern/policy';

/** As long as there is no way out of the server: nobody's keys are known. */
export const NO_KEYS: Keys = {
  at: () => Promise.resolve({ problem: 'this server asks nobody outside' }),
};
