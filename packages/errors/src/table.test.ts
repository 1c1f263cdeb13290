import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ERROR_TABLE, fail } from './index.ts';

const packages = fileURLToPath(new URL('../..', import.meta.url));

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
    .filter((entry) => !entry.parentPath.includes('node_modules') && !entry.parentPath.includes('families'))
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'));
}

describe('the error table', () => {
  test('holds no row that nothing sends', () => {
    const text = sources(packages).join('\n');
    const used = new Set(text.match(/\b\d{3,5}\b/g));
    const idle = Object.keys(ERROR_TABLE).filter((number) => !used.has(number));
    expect(idle).toEqual([]);
  });

  test('fills placeholders and leaves unknown ones to be seen', () => {
    const error = fail(334, { url: 'https://a.test', holder: 'ep_1' });
    expect(error.code).toBe('ERR_NGROK_334');
    expect(error.status).toBe(400);
    expect(error.message).toContain('https://a.test');
    expect(fail(334).message).toContain('{url}');
  });

  test('has messages that end as sentences and fit one paragraph', () => {
    for (const [number, entry] of Object.entries(ERROR_TABLE)) {
      expect(entry.message, number).toMatch(/[.}]$/);
      expect(entry.message, number).not.toContain('\n');
    }
  });
});
