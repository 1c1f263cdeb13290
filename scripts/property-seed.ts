/** Properties are tried with the same values in each run, so that a run judges the commit and not its luck. */
import { configureGlobal } from 'fast-check';

configureGlobal({ seed: Number(process.env['POSTERN_SEED'] ?? 20_261_124) });
