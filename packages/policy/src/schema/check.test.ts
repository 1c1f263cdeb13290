import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ACTION_DEFINITIONS } from '../actions/index.ts';
import { ACTIONS, actionType } from './action-table.ts';
import { checkDocument, configSchema } from './check.ts';

const HTTPS = { protocol: 'https' };

describe('the schema without the compiler', () => {
  it('checks configs with the same paths', () => {
    const config = { headers: { a: 'b' }, zz: 1 };
    expect(() => checkDocument({ on_http_request: [{ actions: [{ type: 'add-headers', config }] }] }, HTTPS)).toThrow(
      /^on_http_request\[0\]\.actions\[0\]\.config\.zz: /,
    );
    expect(checkDocument('on_http_request:\n- actions: [{type: deny}]', HTTPS).phases.on_http_request).toHaveLength(1);
  });

  it('has a schema and a definition for every action that is built, and for no other', () => {
    for (const name of Object.keys(ACTIONS)) {
      const type = actionType(name);
      if (type === undefined) throw new Error(`${name} is not known`);
      const { available, phases } = ACTIONS[type];
      expect([name, configSchema(type, phases[0]) !== undefined, ACTION_DEFINITIONS.has(type)]).toEqual([
        name,
        available,
        available,
      ]);
    }
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
