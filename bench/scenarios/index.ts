import { BESIDE_BULK } from './beside-bulk.ts';
import { MEMORY } from './memory.ts';
import { OVERLOAD } from './overload.ts';
import type { Scenario } from './scenario.ts';
import { WORKERS } from './workers.ts';

export type { Figure, Scenario } from './scenario.ts';

export const SCENARIOS: readonly Scenario[] = [BESIDE_BULK, ...MEMORY, ...OVERLOAD, ...WORKERS];
