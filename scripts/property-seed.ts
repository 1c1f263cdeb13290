/** Properties are tried with the same values in each run, so that a run judges the commit and not its luck. */
import { SEED } from '@postern/edge/testing/dice';
import { configureGlobal } from 'fast-check';

configureGlobal({ seed: SEED });
