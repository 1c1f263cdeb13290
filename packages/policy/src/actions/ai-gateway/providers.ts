/** Where providers are. Browser-safe. */

/** Of providers that a policy need not describe: the OpenAI-compatible address of each, as it publishes it. */
export const KNOWN_PROVIDERS: ReadonlyMap<string, string> = new Map([
  ['openai', 'https://api.openai.com/v1'],
  ['anthropic', 'https://api.anthropic.com/v1'],
  ['google', 'https://generativelanguage.googleapis.com/v1beta/openai'],
  ['deepseek', 'https://api.deepseek.com/v1'],
  ['groq', 'https://api.groq.com/openai/v1'],
  ['openrouter', 'https://openrouter.ai/api/v1'],
]);

/** How names of models begin that only one of them has: there is no catalog here. */
const FAMILIES: readonly (readonly [begin: RegExp, provider: string])[] = [
  [/^(?:gpt-|chatgpt-|o[1-9](?:-|$)|text-embedding-|dall-e-|whisper-|tts-)/, 'openai'],
  [/^claude-/, 'anthropic'],
  [/^(?:gemini-|gemma-)/, 'google'],
  [/^deepseek-/, 'deepseek'],
];

export function providerOfModel(model: string): string | null {
  return FAMILIES.find(([begin]) => begin.test(model))?.[1] ?? null;
}

/** @returns why nobody can be asked there (a clause without subject) */
export function addressProblem(written: string): string | null {
  if (!/^https?:\/\//i.test(written)) return 'it must begin with https://';
  if (!URL.canParse(written)) return 'it does not parse';
  const url = new URL(written);
  if (url.username !== '' || url.password !== '') return 'it may not have a user name';
  if (url.search !== '' || url.hash !== '') return 'it may not have a query; write query_params';
  if (url.hostname.endsWith('.internal')) return 'internal endpoints cannot be providers here yet';
  return null;
}

/** What is called in the name of a visitor: answers of models. Keys open more than that (files, jobs, accounts). */
const SURFACES: ReadonlySet<string> = new Set([
  'audio/speech',
  'chat/completions',
  'completions',
  'embeddings',
  'images/generations',
  'messages',
  'messages/count_tokens',
  'moderations',
  'rerank',
  'responses',
]);

/** @returns what of a provider's interface a path calls (`chat/completions`); null = nothing that is passed on */
export function surfaceOf(path: string): string | null {
  const surface = path.replace(/^\/v1(?=\/)/, '').slice(1);
  return SURFACES.has(surface) ? surface : null;
}

/**
 * The URL of a call: SDKs have `/v1` in front of what they call, and a base that has a path of its own stands in its place.
 * @param queries encoded; those that are '' are left out
 */
export function callUrl(base: string, surface: string, queries: readonly string[]): string {
  const url = new URL(base);
  const own = url.pathname.endsWith('/') ? url.pathname.slice(0, -1) : url.pathname;
  url.pathname = `${own === '' ? '/v1' : own}/${surface}`;
  url.search = queries.filter((part) => part !== '').join('&');
  return url.href;
}
