/** traffic-policy.md §4 ai-gateway */
import * as z from 'zod/mini';
import { duration } from '../../schema/duration.ts';
import { flag, listOf, text, verify, whole, withDefault } from '../../schema/fields.ts';
import { FRAMING_HEADERS, headerValues } from '../../schema/headers.ts';
import { printable } from '../../schema/printable.ts';
import { describeAction } from '../descriptor.ts';
import { addressProblem } from './providers.ts';

const MAX_TOKENS = 500_000;
const MAX_PROVIDERS = 32;
const MAX_MODELS = 128;
const MAX_KEYS = 16;
const MAX_ID = 256;
/** Made here: what is sent, to whom, and by whose key. */
const REFUSED_HEADERS: ReadonlySet<string> = new Set([
  ...FRAMING_HEADERS,
  'accept-encoding',
  'content-encoding',
  'content-type',
  'expect',
  'host',
]);

const id = text.check(z.minLength(1), z.maxLength(MAX_ID));
const aliases = z.optional(listOf(id, 0, MAX_MODELS));
const words = z.optional(listOf(text, 0, MAX_MODELS));
const metadata = z.optional(z.record(z.string(), z.unknown()));
const parameters = z.optional(listOf(z.strictObject({ name: id }), 0, MAX_MODELS));
const strategy = z.optional(z.strictObject({ strategy: withDefault(listOf(text.check(z.minLength(1)), 0, 16), []) }));

const baseUrl = text.check(
  z.maxLength(2048),
  verify((written: string) => {
    const reason = addressProblem(written);
    return reason === null ? null : { number: 2226, facts: { value: printable(written), reason } };
  }),
);

const model = z.strictObject({
  id,
  id_aliases: aliases,
  author_id: z.optional(text),
  display_name: z.optional(text),
  description: z.optional(text),
  disabled: withDefault(flag, false),
  metadata,
  input_modalities: words,
  output_modalities: words,
  max_context_window: z.optional(whole(0, Number.MAX_SAFE_INTEGER)),
  max_output_tokens: z.optional(whole(0, Number.MAX_SAFE_INTEGER)),
  supported_features: words,
  unsupported_params: parameters,
});

const surface = z.strictObject({
  format: z.enum(['openai', 'anthropic']),
  surface: z.optional(text),
  supported_params: parameters,
});

const provider = z.strictObject({
  id,
  id_aliases: aliases,
  base_url: z.optional(baseUrl),
  display_name: z.optional(text),
  description: z.optional(text),
  website: z.optional(text),
  disabled: withDefault(flag, false),
  metadata,
  api_keys: withDefault(listOf(z.strictObject({ value: text.check(z.minLength(1)) }), 0, MAX_KEYS), []),
  models: withDefault(listOf(model, 0, MAX_MODELS), []),
  supported_api_surfaces: withDefault(listOf(surface, 0, 16), []),
});

export const aiGatewaySchema = z.strictObject({
  max_input_tokens: z.optional(whole(1, MAX_TOKENS)),
  max_output_tokens: z.optional(whole(1, MAX_TOKENS)),
  headers: z.optional(headerValues(REFUSED_HEADERS, 0)),
  query_params: withDefault(z.record(z.string(), text), {}),
  body: z.optional(z.record(z.string(), z.unknown())),
  on_error: withDefault(z.enum(['halt', 'continue']), 'halt'),
  total_timeout: withDefault(duration(1_000, 600_000), 300_000),
  per_request_timeout: withDefault(duration(1_000, 600_000), 30_000),
  providers: withDefault(listOf(provider, 0, MAX_PROVIDERS), []),
  only_allow_configured_providers: withDefault(flag, false),
  only_allow_configured_models: withDefault(flag, false),
  model_selection: strategy,
  /** Keys are tried in their order; what their use was is not counted here: compile.ts. */
  api_key_selection: strategy,
});

export type ProviderConfig = z.infer<typeof provider>;

export const aiGatewayAction = describeAction({
  type: 'ai-gateway',
  phases: ['on_http_request'],
  resultKey: 'ai_gateway',
  config: () => aiGatewaySchema,
});
