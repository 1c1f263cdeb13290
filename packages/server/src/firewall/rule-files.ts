/** The files of a rule set, in the order in which they count: settings, plugins before, rules, plugins behind. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { RulesFile } from '@postern/seclang';
import { ConfigError } from '../config/config-error.ts';
import { flagOf } from '../config/options.ts';

const FLAG = flagOf('owasp_crs');
/** The Core Rule Set has about 30 files and 1 MB. */
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * @param paths folders with `rules/*.conf`, and files of settings
 * @throws ConfigError
 */
export function ruleFiles(paths: readonly string[]): readonly RulesFile[] {
  const settings = paths.some((one) => one.endsWith('.conf'));
  const names = paths.flatMap((one) => (isFolder(one) ? filesOf(one, settings) : [one]));
  let bytes = 0;
  return names.map((name) => {
    const text = read(name);
    bytes += text.length;
    if (bytes > MOST_BYTES) throw new ConfigError(FLAG, name, `rules have more than ${MOST_BYTES} bytes`);
    return { name, text };
  });
}

/** A file beside the one that names it; null = it is not there. */
export function dataFile(of: string, name: string): string | null {
  const file = path.resolve(path.dirname(of), name);
  return existsSync(file) ? read(file) : null;
}

/** @param settings whether they come from elsewhere */
function filesOf(folder: string, settings: boolean): readonly string[] {
  const rules = confFiles(path.join(folder, 'rules'));
  if (rules.length === 0) throw new ConfigError(FLAG, folder, 'there is no rules/*.conf in it');
  const plugins = confFiles(path.join(folder, 'plugins'));
  const of = (kind: string): string[] => plugins.filter((name) => name.endsWith(`-${kind}.conf`));
  const first = settings ? [] : [setupOf(folder)];
  return [...first, ...of('config'), ...of('before'), ...rules, ...of('after')];
}

/** The example has the defaults, and the rules insist on one. */
function setupOf(folder: string): string {
  for (const name of ['crs-setup.conf', 'crs-setup.conf.example']) {
    const file = path.join(folder, name);
    if (existsSync(file)) return file;
  }
  throw new ConfigError(FLAG, folder, `there is no crs-setup.conf in it; give its place too, as ${FLAG} FILE`);
}

function confFiles(folder: string): string[] {
  if (!isFolder(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.conf'));
  return names.toSorted().map((name) => path.join(folder, name));
}

function isFolder(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Bytes, one to a character: patterns are held against bytes. */
function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    throw new ConfigError(FLAG, file, error instanceof Error ? error.message : 'it cannot be read');
  }
}
