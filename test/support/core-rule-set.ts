/** The OWASP Core Rule Set as Debian packages it: installed, named by the environment, or brought by apt into a cache. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from './platform.ts';

/** Folders and files for `--owasp-crs`, separated by blanks. */
const NAMED = process.env['POSTERN_TEST_CRS'] ?? '';
const PLACES = ['etc/modsecurity/crs/crs-setup.conf', 'usr/share/modsecurity-crs'];

/** @returns the values of `--owasp-crs`, or why there are none */
export function coreRuleSet(): readonly string[] | string {
  if (NAMED !== '') return NAMED.split(/\s+/);
  const cache = path.join(repositoryRoot, 'node_modules', '.cache', 'modsecurity-crs');
  for (const root of ['/', cache]) {
    const places = PLACES.map((place) => path.join(root, place));
    if (places.every((place) => existsSync(place))) return places;
  }
  try {
    mkdirSync(cache, { recursive: true });
    download(cache);
    const [file = ''] = readdirSync(cache).filter((name) => name.endsWith('.deb'));
    execFileSync('dpkg-deb', ['-x', file, '.'], { cwd: cache, timeout: 20_000, stdio: 'ignore' });
    return PLACES.map((place) => path.join(cache, place));
  } catch {
    return 'the Debian package modsecurity-crs is not installed, and apt does not bring it (POSTERN_TEST_CRS names it)';
  }
}

function download(cache: string): void {
  const apt = (...args: string[]): void => {
    execFileSync('apt-get', args, { cwd: cache, timeout: 60_000, stdio: 'ignore' });
  };
  try {
    apt('download', 'modsecurity-crs');
  } catch {
    // A new machine has no lists yet.
    apt('update');
    apt('download', 'modsecurity-crs');
  }
}
