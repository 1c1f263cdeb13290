import { Readable } from 'node:stream';
import { isPosternError } from '@postern/errors';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../index.ts';
import type { RelayRequest, Relays } from '../../services.ts';
import type { Facts } from '../../testing/context.ts';
import { bodyOf, CLOUD, refusal, rule, run, show } from '../../testing/run.ts';

const R = 'on_http_request';
const gateway = (config: object): object => ({ type: 'ai-gateway', config });

interface Asked {
  readonly outcome: Outcome;
  /** The answer's status, or the error's code. */
  readonly came: string;
  readonly requests: RelayRequest[];
}

/** Who is asked is answered by `status`, by address. */
async function ask(
  config: object,
  body: object,
  statuses: Record<string, number> = {},
  facts: Facts = {},
): Promise<Asked> {
  const requests: RelayRequest[] = [];
  const relays: Relays = {
    open(request) {
      requests.push(request);
      const status = statuses[new URL(request.url).host] ?? 200;
      return Promise.resolve({ status, fields: [], body: Readable.from([]), silenceMs: 1 });
    },
  };
  const given = { method: 'POST', target: '/v1/chat/completions', ...facts, body: JSON.stringify(body) };
  const { outcome } = await run(R, [{ actions: [gateway(config)] }], {
    ...given,
    services: { relays, ...facts.services },
  });
  if (outcome.kind !== 'relay') return { outcome, came: bodyOf(outcome), requests };
  const answer = await outcome.open();
  return { outcome, came: isPosternError(answer) ? answer.code : String(answer.status), requests };
}

const hosts = ({ requests }: Asked): string[] => requests.map(({ url }) => new URL(url).host);
const keys = ({ requests }: Asked): unknown[] => requests.map(({ headers }) => headers['authorization']);
const models = ({ requests }: Asked): unknown[] =>
  requests.map(({ body }) => Reflect.get(Object(JSON.parse(body.toString())), 'model'));

const TWO = [
  {
    id: 'a',
    base_url: 'https://a.test',
    models: [{ id: 'x', id_aliases: ['fast'], metadata: { tier: 'cheap' } }, { id: 'y' }],
  },
  { id: 'b', base_url: 'https://b.test', models: [{ id: 'z', id_aliases: ['fast'], supported_features: ['tools'] }] },
];
const FAIL = { 'a.test': 500, 'b.test': 429 };

describe('ai-gateway', () => {
  it.each([
    [{ model: 'fast' }, ['x', 'z']],
    [{ model: 'y', models: ['fast', 'b:z'] }, ['y', 'x', 'z']],
    [{ model: 'ngrok/auto' }, ['x', 'y', 'z']],
    [{}, ['x', 'y', 'z']],
    [{ model: 'b:other' }, ['other']],
    [{ model: 'nobody', models: ['b:fast'] }, ['z']],
  ])('%j is tried in its order', async (body, expected) => {
    const asked = await ask({ providers: TWO }, body, FAIL);
    expect(models(asked)).toEqual(expected);
    expect(asked.came).toBe('ERR_NGROK_3807');
  });

  it.each([
    ["ai.models.filter(m, m.provider_id == 'b')", { model: 'fast' }, ['z']],
    ["ai.models.filter(m, 'tools' in m.supported_features)", { model: 'fast' }, '3803'],
    ["ai.models.filter(m, m.metadata.tier == 'cheap')", { model: 'x' }, '3803'],
    ["ai.models.filter(m, has(m.metadata.tier) && m.metadata.tier == 'cheap')", {}, ['x']],
    ["ai.models.filter(m, m.id == 'none')", {}, '3804'],
    ['ai.models.size()', {}, '3803'],
  ])('%s chooses', async (strategy, body, expected) => {
    const asked = await ask({ providers: TWO, model_selection: { strategy: [strategy] } }, body, FAIL);
    if (typeof expected === 'string') expect(asked.came).toBe(`ERR_NGROK_${expected}`);
    else expect(models(asked)).toEqual(expected);
  });

  it('takes the first strategy that leaves something', async () => {
    const strategy = ["ai.models.filter(m, m.id == 'none')", "ai.models.filter(m, m.provider_id == 'b')", 'ai.models'];
    expect(models(await ask({ providers: TWO, model_selection: { strategy } }, { model: 'fast' }, FAIL))).toEqual([
      'z',
    ]);
  });

  it('knows providers by name, and models by how their names begin', async () => {
    const facts = { headers: [['authorization', 'Bearer mine']] as const };
    for (const [model, host] of [
      ['gpt-4o', 'api.openai.com'],
      ['claude-3-5-sonnet', 'api.anthropic.com'],
      ['gemini-flash', 'generativelanguage.googleapis.com'],
      ['groq:anything', 'api.groq.com'],
    ]) {
      const asked = await ask({}, { model }, {}, facts);
      expect([hosts(asked), keys(asked)]).toEqual([[host], ['Bearer mine']]);
    }
    expect((await ask({}, { model: 'gpt-4o' })).came).toBe('ERR_NGROK_3802');
    expect((await ask({ only_allow_configured_providers: true }, { model: 'gpt-4o' })).came).toBe('ERR_NGROK_3804');
  });

  it('takes keys from vaults, and none that is missing for one', async () => {
    const secrets = (known: string | null): Facts => ({
      services: { resources: { secret: () => known, ipPolicy: () => null, certificateAuthority: () => null } },
    });
    const config = { providers: [{ id: 'openai', api_keys: [{ value: "${secrets.get('v', 'n')}" }] }] };
    expect(keys(await ask(config, { model: 'gpt-4o' }, {}, secrets('sk')))).toEqual(['Bearer sk']);
    const missing = await ask(config, { model: 'gpt-4o' }, {}, secrets(null));
    expect(missing.outcome).toMatchObject({ kind: 'error', error: { number: 2238 } });
  });

  it('leaves out what a model does not take, and bounds the answer', async () => {
    const supported = [
      { format: 'openai', surface: 'chat-completions', supported_params: [{ name: 'n' }, { name: 'm' }] },
    ];
    const model = { id: 'x', unsupported_params: [{ name: 'n' }] };
    const provider = { id: 'a', base_url: 'https://a.test', supported_api_surfaces: supported, models: [model] };
    const asked = await ask({ providers: [provider] }, { model: 'x', n: 1, m: 2, o: 3 });
    expect(asked.requests[0]?.body.toString()).toBe('{"model":"x","m":2}');
    const bounded = await ask({ providers: TWO, max_output_tokens: 5 }, { model: 'x', max_tokens: 9 });
    expect(bounded.requests[0]?.body.toString()).toBe('{"model":"x","max_tokens":5}');
  });

  it('asks sixteen times at most', async () => {
    const asked = await ask({ providers: TWO }, { models: Array.from({ length: 40 }, (_, at) => `a:m${at}`) }, FAIL);
    expect([asked.requests.length, asked.came]).toEqual([16, 'ERR_NGROK_3812']);
  });

  it.each([
    ['https://a.test', '/v1/chat/completions', 'https://a.test/v1/chat/completions'],
    ['https://a.test/v1/', '/v1/embeddings', 'https://a.test/v1/embeddings'],
    ['https://a.test/v1', '/responses?a=1?2', 'https://a.test/v1/responses?a=1?2'],
    ['https://a.test/openai/v1', '/v1/completions', 'https://a.test/openai/v1/completions'],
    ['https://a.test/mine/v1', '/v1/../../admin', '3801'],
    ['https://a.test/mine/v1', '/v1/%2e%2e/chat/completions', '3801'],
    ['https://a.test/mine/v1', '/v1/fine_tuning/jobs', '3801'],
    ['https://a.test/mine/v1', '//chat/completions', '3801'],
    ['https://a.test/mine/v1', '/v1/files', '3801'],
  ])('%s and %s make %s', async (base, target, url) => {
    const asked = await ask({ providers: [{ id: 'a', base_url: base }] }, { model: 'a:x' }, {}, { target });
    expect(asked.requests[0]?.url ?? asked.came).toBe(url.startsWith('https') ? url : `ERR_NGROK_${url}`);
  });

  it.each([
    [{ providers: [{}] }, /^2234 .*config\.providers\[0\]: .*"id"/],
    [{ providers: [{ id: 'mine' }] }, /^90087 .*config\.providers\[0\]: .*"mine"/],
    [{ providers: [{ id: 'a', base_url: 'ftp://x' }] }, /^2226 .*providers\[0\]\.base_url: /],
    [{ providers: [{ id: 'a', base_url: 'https://x.internal' }] }, /^2226 .*internal/],
    [{ providers: [{ id: 'openai', api_keys: [{ value: '${nobody}' }] }] }, /^2224 .*api_keys\[0\]\.value: /],
    [{ total_timeout: '1h' }, /^2225 .*total_timeout: /],
    [{ max_input_tokens: 0 }, /^2215 .*max_input_tokens: /],
    [{ model_selection: { strategy: ['ai.models.'] } }, /^2200 .*model_selection\.strategy\[0\]: /],
    [{ api_key_selection: { strategy: ['ai.keys'] } }, /^90030 .*api_key_selection\.strategy: /],
    [{ headers: { host: 'x' } }, /^2219 .*headers: /],
    [{ provider: [] }, /^2203 .*config\.provider: /],
  ])('refuses %j', (config, words) => {
    expect(refusal(rule(R, gateway(config)))).toMatch(words);
  });

  it('stands in a policy once, and ends it unless it may fail', () => {
    const another = { [R]: [{ actions: [gateway({ on_error: 'continue' }), gateway({})] }] };
    expect(refusal(another)).toMatch(/^2266 on_http_request\[0\]\.actions\[1\]\.config/);
    expect(refusal(rule(R, gateway({})), CLOUD)).toBe('accepted');
    expect(refusal(rule(R, gateway({ on_error: 'continue' })), CLOUD)).toMatch(/^2235 /);
    expect(refusal({ [R]: [{ actions: [gateway({ on_error: 'continue' })] }, show('failed')] }, CLOUD)).toBe(
      'accepted',
    );
  });
});
