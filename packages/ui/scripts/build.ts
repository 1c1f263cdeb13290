/** `build.ts NAME FOLDER`: builds the pages of `web/NAME` into FOLDER. */
import path from 'node:path';
import process from 'node:process';
import { build } from 'vite';

const [name = '', folder = ''] = process.argv.slice(2);
if (name === '' || folder === '') throw new Error('usage: build.ts NAME FOLDER');
const web = path.resolve(import.meta.dirname, '..', 'web');

await build({
  root: path.join(web, name),
  configFile: false,
  logLevel: 'error',
  mode: 'production',
  publicDir: false,
  // The cache belongs to the clone, not to the folder of the pages.
  cacheDir: path.join(folder, '.vite'),
  build: {
    outDir: folder,
    emptyOutDir: false,
    assetsDir: 'assets',
    // Nothing inline: the pages' policy allows none.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    reportCompressedSize: false,
  },
});
