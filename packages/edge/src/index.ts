export * from './control-link.ts';
export type { EdgeConfig, EdgeLimits, ListenAddress, Log } from './context.ts';
