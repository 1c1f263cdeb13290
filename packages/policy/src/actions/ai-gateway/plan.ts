/** What the config says, made ready when the policy is written. */
import { fail } from '@postern/errors';
import type * as z from 'zod/mini';
import type { Eval } from '../../cel/scope.ts';
import { DYN, STRING, type Shape } from '../../cel/shapes.ts';
import { fromPlain, type Value } from '../../cel/value.ts';
import type { Template } from '../../interpolation/template.ts';
import type { ActionEnv } from '../action.ts';
import { deepValue, type DeepValue } from '../deep-value.ts';
import { headerTemplates, type HeaderTemplate } from '../headers.ts';
import { KNOWN_PROVIDERS } from './providers.ts';
import type { aiGatewaySchema, ProviderConfig } from './schema.ts';

type Config = z.infer<typeof aiGatewaySchema>;

export interface Provider {
  readonly id: string;
  readonly names: ReadonlySet<string>;
  readonly baseUrl: string;
  readonly keys: readonly Template[];
  readonly models: readonly Model[];
  /** Of a request to one surface (`/chat/completions`): parameters that may be sent; none = all. */
  readonly supported: ReadonlyMap<string, ReadonlySet<string>>;
  readonly disabled: boolean;
}

export interface Model {
  readonly id: string;
  readonly names: ReadonlySet<string>;
  readonly provider: Provider;
  readonly author: string;
  readonly unsupported: ReadonlySet<string>;
  /** As expressions of `model_selection` see it. */
  readonly shown: Value;
}

export interface Plan {
  readonly config: Config;
  /** In the order of the config, then those that need no description. */
  readonly providers: readonly Provider[];
  readonly strategies: readonly { readonly text: string; readonly select: Eval }[];
  readonly headers: readonly HeaderTemplate[];
  readonly query: readonly (readonly [name: string, value: Template])[];
  readonly body: DeepValue | null;
}

/** `ai.models`, a list of maps. */
const VARIABLES: ReadonlyMap<string, Shape> = new Map([['ai', { type: 'map', key: STRING, item: DYN } as const]]);

/** @throws PosternError with the path of what is wrong */
export function planOf(config: Config, env: ActionEnv): Plan {
  const providers = config.providers.map((one, index) => providerOf(one, index, env));
  const described = new Set(config.providers.map(({ id }) => id));
  if (!config.only_allow_configured_providers) {
    for (const [id, baseUrl] of KNOWN_PROVIDERS) {
      if (!described.has(id)) providers.push(undescribed(id, baseUrl));
    }
  }
  if ((config.api_key_selection?.strategy.length ?? 0) > 0) {
    const path = `${env.path}.api_key_selection.strategy`;
    throw fail(90030, { path, what: 'choosing among keys by what their use was' });
  }
  return {
    config,
    providers,
    strategies: (config.model_selection?.strategy ?? []).map((text, index) => ({
      text,
      select: env.expression(text, `.model_selection.strategy[${index}]`, VARIABLES),
    })),
    headers: headerTemplates(config.headers ?? {}, env),
    query: Object.entries(config.query_params).map(([name, value]) => [
      name,
      env.template(value, `.query_params.${name}`),
    ]),
    body: config.body === undefined ? null : deepValue(config.body, '.body', env),
  };
}

function providerOf(written: ProviderConfig, index: number, env: ActionEnv): Provider {
  const { id } = written;
  const field = `.providers[${index}]`;
  const baseUrl = written.base_url ?? KNOWN_PROVIDERS.get(id);
  if (baseUrl === undefined) throw fail(90087, { path: `${env.path}${field}`, provider: id });
  const models: Model[] = [];
  const provider: Provider = {
    id,
    names: new Set([id, ...(written.id_aliases ?? [])]),
    baseUrl,
    keys: written.api_keys.map(({ value }, at) => env.template(value, `${field}.api_keys[${at}].value`)),
    models,
    supported: new Map(
      written.supported_api_surfaces.flatMap(({ surface = '', supported_params: names = [] }) =>
        surface === '' || names.length === 0 ? [] : [[surface, new Set(names.map(({ name }) => name))] as const],
      ),
    ),
    disabled: written.disabled,
  };
  for (const one of written.models) {
    if (one.disabled) continue;
    const { disabled: _, id_aliases: names = [], unsupported_params: unsupported = [], ...facts } = one;
    models.push({
      id: one.id,
      names: new Set([one.id, ...names]),
      provider,
      author: one.author_id ?? '',
      unsupported: new Set(unsupported.map(({ name }) => name)),
      shown: fromPlain({
        author_id: '',
        ...facts,
        provider_id: id,
        metadata: { ...written.metadata, ...one.metadata },
      }),
    });
  }
  return provider;
}

function undescribed(id: string, baseUrl: string): Provider {
  const names = new Set([id]);
  return { id, names, baseUrl, keys: [], models: [], supported: new Map(), disabled: false };
}

/** One that the config does not describe. */
export function plainModel(id: string, provider: Provider): Model {
  const shown = fromPlain({ id, provider_id: provider.id, author_id: '', metadata: {} });
  return { id, names: new Set([id]), provider, author: '', unsupported: new Set(), shown };
}
