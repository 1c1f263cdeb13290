export * from './types.ts';
export { createMemoryRegistry } from './memory.ts';
export { OrderedIds } from './ordered-ids.ts';
export { mayTakeOver, type Claim } from './fencing.ts';
