/** The visitor's body: read within bounds, and made again for each model that is asked. */
import { fail, type PosternError } from '@postern/errors';
import { TOO_MANY_STEPS } from '../../cel/limits.ts';
import type { Scope } from '../../cel/scope.ts';
import type { Failure } from '../../cel/value.ts';
import { spend } from '../../cel/work.ts';
import type { Model, Plan } from './plan.ts';

/** Pictures are in it, in base64. */
export const MAX_BODY = 4 * 1024 * 1024;
const MAX_DEPTH = 100;

export type Fields = Readonly<Record<string, unknown>>;

export interface Prompt {
  readonly fields: Fields;
  /** As the visitor names them: `model`, then `models`. */
  readonly model: string;
  readonly models: readonly string[];
}

export function readPrompt(body: Buffer, scope: Scope): Prompt | PosternError | Failure {
  const shape = shapeOf(body);
  if (shape.depth > MAX_DEPTH) return fail(3801, { reason: 'its body is nested too deep' });
  // What it is parsed into, and written again, is paid for by its parts: text alone is cheap.
  if (!spend(scope, body.length / 16 + shape.parts * 4)) return TOO_MANY_STEPS;
  const fields = fieldsIn(body.toString('utf8'));
  if (fields === null) return fail(3801, { reason: 'its body is no object of JSON' });
  const { model = '', models = [] } = fields;
  if (typeof model !== 'string') return fail(3801, { reason: 'its model is no text' });
  if (!Array.isArray(models)) return fail(3801, { reason: 'its models are no list' });
  const names: string[] = [];
  for (const one of models.slice(0, 64)) {
    if (typeof one !== 'string') return fail(3801, { reason: 'its models are not texts' });
    names.push(one);
  }
  return { fields, model, models: names };
}

/** @returns null for what is no object of JSON */
export function fieldsIn(text: string): Fields | null {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : null;
  } catch {
    return null;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Values and depth of a text that may be JSON, before anything is made of it. */
function shapeOf(body: Buffer): { readonly parts: number; readonly depth: number } {
  let parts = 0;
  let deepest = 0;
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at];
    if (quoted) {
      if (byte === 0x5c) at++;
      else if (byte === 0x22) quoted = false;
    } else if (byte === 0x22) quoted = true;
    else if (byte === 0x2c) parts++;
    else if (byte === 0x7b || byte === 0x5b) {
      parts++;
      if (++depth > deepest) deepest = depth;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return { parts, depth: deepest };
}

const PROMPTS: readonly string[] = ['messages', 'input', 'prompt', 'system', 'instructions'];
const NOT_TEXT: ReadonlySet<string> = new Set(['image_url', 'input_audio', 'file', 'source', 'role', 'type', 'id']);
/** Of English text, about. */
const CHARACTERS_OF_A_TOKEN = 4;

/** An estimate: how a model counts is known to its provider. */
export function estimateTokens(fields: Fields): number {
  let characters = 0;
  for (const name of PROMPTS) characters += textIn(fields[name]);
  return Math.ceil(characters / CHARACTERS_OF_A_TOKEN);
}

function textIn(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  let characters = 0;
  for (const [key, item] of Object.entries(value)) if (!NOT_TEXT.has(key)) characters += textIn(item);
  return characters;
}

/** What bounds an answer, by the surface that is called. */
const OUTPUT_BOUNDS: readonly string[] = ['max_completion_tokens', 'max_tokens', 'max_output_tokens'];

/**
 * @param added fields of the config, which win over the visitor's
 * @param surface as `chat/completions`
 */
export function bodyFor(prompt: Prompt, added: Fields, model: Model, surface: string, { config }: Plan): Buffer {
  const fields: Record<string, unknown> = { ...prompt.fields, ...added, model: model.id };
  delete fields['models'];
  if (config.max_output_tokens !== undefined) boundOutput(fields, config.max_output_tokens, model, surface);
  for (const name of model.unsupported) delete fields[name];
  const supported = model.provider.supported.get(surface.replaceAll('/', '-'));
  if (supported !== undefined) {
    for (const name of Object.keys(fields)) if (name !== 'model' && !supported.has(name)) delete fields[name];
  }
  return Buffer.from(JSON.stringify(fields), 'utf8');
}

function boundOutput(fields: Record<string, unknown>, max: number, { provider }: Model, surface: string): void {
  let bounded = false;
  for (const name of OUTPUT_BOUNDS) {
    if (fields[name] === undefined) continue;
    bounded = true;
    const asked = fields[name];
    fields[name] = typeof asked === 'number' && asked < max ? asked : max;
  }
  if (bounded) return;
  if (surface === 'responses') fields['max_output_tokens'] = max;
  else if (surface === 'embeddings') return;
  else if (surface === 'chat/completions' && provider.id === 'openai') fields['max_completion_tokens'] = max;
  else fields['max_tokens'] = max;
}
