/** The `postern` command. See README.md of this package. */
export { createProgram } from './program.ts';
export { VERSION } from './version.ts';
