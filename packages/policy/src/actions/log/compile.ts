import { celMap, type CelInput } from '@bufbuild/cel';
import { encodeJson } from '../../cel/functions/json.ts';
import { TOO_MANY_STEPS } from '../../cel/limits.ts';
import type { Scope } from '../../cel/scope.ts';
import { Failure, Fatal, type Value } from '../../cel/value.ts';
import { spend } from '../../cel/work.ts';
import { fieldPath, readConfig } from '../../schema/problems.ts';
import { GO_ON, type ActionDefinition } from '../action.ts';
import { deepValue, type DeepValue } from '../deep-value.ts';
import { unfilled } from '../outcome.ts';
import { logAction, logSchema } from './schema.ts';

/** Characters of one line's metadata, as JSON. */
const MAX_METADATA = 8_192;

interface Entry {
  readonly name: string;
  readonly path: string;
  readonly value: DeepValue;
}

/** Tells whoever operates the endpoint. What cannot be told is no reason to end a request: it is null, with a warning. */
export const log: ActionDefinition = {
  descriptor: logAction,
  compile(config, env) {
    const { metadata } = readConfig(logSchema, config, env.path);
    const entries: Entry[] = Object.entries(metadata).map(([name, written]) => {
      const field = fieldPath('.metadata', [name]);
      return { name, path: `${env.path}${field}`, value: deepValue(written, field, env) };
    });
    return {
      terminates: false,
      run(scope) {
        const { services, endpoint } = scope.context;
        const value = gathered(entries, scope);
        if (value instanceof Failure) return unfilled(value);
        env.recorder.record(scope.context, () => ({ metadata: value }));
        const text = encodeJson(value, scope);
        if (text instanceof Fatal) return unfilled(text);
        services.events.emit({
          type: 'log',
          endpointId: endpoint.id,
          fields: { phase: env.phase, ...shown(text) },
        });
        return GO_ON;
      },
    };
  },
};

function gathered(entries: readonly Entry[], scope: Scope): Value | Fatal {
  const map = new Map<string, CelInput>();
  for (const { name, path, value } of entries) {
    if (!spend(scope, 1)) return TOO_MANY_STEPS;
    const result = value.get(scope);
    if (result instanceof Fatal) return result;
    if (result instanceof Failure) scope.context.warn(`${path} could not be filled in: ${result.message}`);
    map.set(name, result instanceof Failure ? null : result);
  }
  return celMap(map);
}

function shown(text: string | Failure): object {
  if (text instanceof Failure) return { metadata: null, problem: text.message };
  if (text.length > MAX_METADATA) return { metadata: null, problem: `its JSON has ${text.length} characters` };
  return { metadata: JSON.parse(text) as unknown };
}
