/**
 * Wiring: configuration in, a running platform out. See README.md of this package. What is exported here loads fast;
 * the planes themselves are loaded when the server starts.
 */
export { ConfigError } from './config/config-error.ts';
export type { RawSettings } from './config/options.ts';
export { resolveConfig, type ServerConfig } from './config/server-config.ts';
export { fromEnvironment, fromFile } from './config/sources.ts';
export { runServer } from './run.ts';
/** For `postern backup` and `postern restore`, which work on a data folder without starting anything. */
export { backupStore, loadKey, restoreStore, StoreRefused, storePaths } from '@postern/store';
