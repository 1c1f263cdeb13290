/** The texts of a clone, for rules that look at all of them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** By path from the root, with `/`. */
export type Sources = ReadonlyMap<string, string>;

const READ = /\.(?:tsx?|mjs|js|c|md|json|ya?ml)$|(?:^|\/)(?:NOTICE|LICENSE)$/;
const SKIPPED = new Set(['node_modules', 'coverage', 'package-lock.json']);

export function readSources(root: string): Sources {
  const found = new Map<string, string>();
  const walk = (folder: string): void => {
    for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
      if (SKIPPED.has(entry.name) || (entry.name.startsWith('.') && !entry.name.startsWith('.oxlintrc'))) continue;
      const file = path.posix.join(folder, entry.name);
      if (entry.isDirectory()) walk(file);
      else if (READ.test(file)) found.set(file, readFileSync(path.join(root, file), 'utf8'));
      // Pages link to pictures; there is nothing to read in them.
      else if (file.endsWith('.png')) found.set(file, '');
    }
  };
  walk('');
  return found;
}

export const isCode = (file: string): boolean => /\.(?:tsx?|mjs|js)$/.test(file);
export const isTest = (file: string): boolean =>
  file.endsWith('.test.ts') || /^(?:test|bench|scripts)\//.test(file) || /\/(?:testing|contract)\//.test(file);

export interface Import {
  readonly specifier: string;
  /** Gone at run time. */
  readonly typeOnly: boolean;
  readonly line: number;
}

const FROM =
  /^(?:import|export)\s+(type\s+)?(\*(?:\s+as\s+\w+)?|[\w$]+(?:\s*,\s*\{[^}]*\})?|\{[^}]*\})\s+from\s+['"]([^'"]+)['"]/gm;
const BARE = /^import\s+['"]([^'"]+)['"]/gm;
const LATE = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** Every import and re-export of a module, also those of types in `import('…')`. */
export function importsOf(text: string): readonly Import[] {
  const line = (at: number): number => text.slice(0, at).split('\n').length;
  const found: Import[] = [];
  for (const match of text.matchAll(FROM)) {
    const names = match[2] ?? '';
    const inner = /^\{([^}]*)\}$/.exec(names)?.[1];
    const allTypes =
      inner !== undefined &&
      inner
        .split(',')
        .map((name) => name.trim())
        .filter(Boolean)
        .every((name) => name.startsWith('type '));
    found.push({ specifier: match[3] ?? '', typeOnly: match[1] !== undefined || allTypes, line: line(match.index) });
  }
  for (const match of text.matchAll(BARE))
    found.push({ specifier: match[1] ?? '', typeOnly: false, line: line(match.index) });
  for (const match of text.matchAll(LATE))
    found.push({ specifier: match[1] ?? '', typeOnly: false, line: line(match.index) });
  return found;
}
