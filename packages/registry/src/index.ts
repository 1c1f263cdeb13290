export * from './types.ts';
export { createMemoryRegistry, type MemoryRegistryOptions } from './memory.ts';
export { OrderedIds } from './ordered-ids.ts';
export { mayTakeOver, type Claim } from './fencing.ts';
