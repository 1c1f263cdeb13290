import { OVERLOAD } from './overload.ts';
import type { Scenario } from './scenario.ts';

export type { Figure, Scenario } from './scenario.ts';

export const SCENARIOS: readonly Scenario[] = [...OVERLOAD];
