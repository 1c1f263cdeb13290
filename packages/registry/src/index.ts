export * from './types.ts';
export { createMemoryRegistry } from './memory.ts';
export { mayTakeOver, type Claim } from './fencing.ts';
