import { readdirSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { DESCRIPTORS } from '../actions/descriptors.ts';
import { ACTION_DEFINITIONS } from '../actions/index.ts';
import { ACTIONS, actionNamed, builtAction } from './action-table.ts';
import { checkDocument } from './check.ts';

const HTTPS = { protocol: 'https' };

describe('the schema without the compiler', () => {
  it('checks configs with the same paths', () => {
    const config = { headers: { a: 'b' }, zz: 1 };
    expect(() => checkDocument({ on_http_request: [{ actions: [{ type: 'add-headers', config }] }] }, HTTPS)).toThrow(
      /^on_http_request\[0\]\.actions\[0\]\.config\.zz: /,
    );
    expect(checkDocument('on_http_request:\n- actions: [{type: deny}]', HTTPS).phases.on_http_request).toHaveLength(1);
  });

  it('knows each folder of actions by its name, and nothing else runs', () => {
    const folder = fileURLToPath(new URL('../actions/', import.meta.url));
    const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const names = folders.map(({ name }) => name).toSorted();
    expect(DESCRIPTORS.map(({ type }) => type)).toEqual(names);
    expect([...ACTION_DEFINITIONS.keys()]).toEqual(names);
    for (const [type, { descriptor }] of ACTION_DEFINITIONS) expect(descriptor).toBe(builtAction(type));
    for (const one of DESCRIPTORS) for (const phase of one.phases) expect(one.config(phase)).toBeDefined();
  });

  it('names each action once, old names included', () => {
    const names = ACTIONS.flatMap(({ type, aliases = [] }) => [type, ...aliases]);
    expect(new Set(names).size).toBe(names.length);
    expect(actionNamed('oidc')?.type).toBe('openid-connect');
    expect(actionNamed('constructor')).toBeUndefined();
  });

  it('runs in a browser: nothing that it imports is of Node', () => {
    const seen = new Set<string>();
    const outside = new Set<string>();
    const walk = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(/^(?:import|export) [^'"]*?from '([^']+)';/gms)) {
        if (name.startsWith('.')) walk(resolve(dirname(file), name));
        else outside.add(name);
      }
    };
    walk(fileURLToPath(new URL('index.ts', import.meta.url)));
    expect(seen.size).toBeGreaterThan(15);
    expect([...outside].toSorted()).toEqual(['@postern/errors', 'ipaddr.js', 'yaml', 'zod/mini']);
  });
});
