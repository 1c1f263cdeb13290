import { fail, isPosternError, type PosternError } from '@postern/errors';
import { TOO_MANY_STEPS } from '../../cel/limits.ts';
import type { Scope } from '../../cel/scope.ts';
import { Failure, fromPlain } from '../../cel/value.ts';
import { spend } from '../../cel/work.ts';
import type { Template } from '../../interpolation/template.ts';
import type { Outcome } from '../../runtime.ts';
import { readConfig } from '../../schema/problems.ts';
import { GO_ON, type ActionDefinition, type ActionEnv, type Step } from '../action.ts';
import { CLOSE, failed, NO_HEADERS, unfilled } from '../outcome.ts';
import { notForHere, notNow } from './claims.ts';
import { fillPlace, TokenFinder, type FilledPlace, type TokenPlace } from './find.ts';
import { type Algorithm, jwtValidationAction, jwtValidationSchema } from './schema.ts';
import { readToken, type Token } from './token.ts';
import { verifyToken } from './verify.ts';

interface Plan {
  readonly places: readonly TokenPlace[];
  readonly issuers: readonly Template[];
  /** null = it does not matter for whom a token is. */
  readonly audiences: readonly Template[] | null;
  readonly algorithms: ReadonlySet<Algorithm>;
  readonly sources: readonly Template[];
  /** Of the sources, for warnings. */
  readonly sourcesPath: string;
}

interface Found {
  readonly place: FilledPlace;
  /** null until it is verified: what nobody has signed is shown to no rule. */
  readonly token: Token | null;
}

/** Lets in whoever presents every token that is asked for, each signed by a key that is published for it (RFC 7519). */
export const jwtValidation: ActionDefinition = {
  descriptor: jwtValidationAction,
  compile(config, env) {
    const { issuer, audience, http, jws } = readConfig(jwtValidationSchema, config, env.path);
    const plan: Plan = {
      places: http.tokens.map(({ type, method, name, prefix }, index) => ({
        type,
        method,
        name: env.template(name, `.http.tokens[${index}].name`),
        prefix: env.template(prefix, `.http.tokens[${index}].prefix`),
      })),
      issuers: values(issuer, '.issuer', env),
      audiences: audience === undefined ? null : values(audience, '.audience', env),
      algorithms: new Set(jws.allowed_algorithms),
      sources: jws.keys.sources.additional_jkus.map((url, index) => env.template(url, `${SOURCES}[${index}]`)),
      sourcesPath: `${env.path}${SOURCES}`,
    };
    return { terminates: false, run: (scope) => validate(plan, env, scope) };
  },
};

const SOURCES = '.jws.keys.sources.additional_jkus';

function values(
  { allow_list: list }: { readonly allow_list: readonly { readonly value: string }[] },
  field: string,
  env: ActionEnv,
): readonly Template[] {
  return list.map(({ value }, index) => env.template(value, `${field}.allow_list[${index}].value`));
}

async function validate(plan: Plan, env: ActionEnv, scope: Scope): Promise<Step> {
  const { context } = scope;
  if (context.req === null) return failed(fail(2300, { type: 'jwt-validation' }));
  const finder = new TokenFinder(context.req, scope);
  const found: Found[] = [];
  let error: PosternError | null = null;
  for (const written of plan.places) {
    const place = fillPlace(written, scope);
    if (place instanceof Failure) return unfilled(place);
    const token = await validToken(plan, place, finder, scope);
    if (token instanceof Failure) return unfilled(token);
    // What is behind it in the policy is not run for nobody.
    if (token === null || context.signal.aborted) return CLOSE;
    error = isPosternError(token) ? token : null;
    found.push({ place, token: isPosternError(token) ? null : token });
    if (error !== null) break;
  }
  if (env.recorder.on) env.recorder.record(context, () => fromPlain(resultOf(found, error)));
  return error === null ? GO_ON : refusal(error);
}

/** @returns null when nobody is there any more */
async function validToken(
  { algorithms, sources, sourcesPath, issuers, audiences }: Plan,
  place: FilledPlace,
  finder: TokenFinder,
  scope: Scope,
): Promise<Token | PosternError | Failure | null> {
  const text = await finder.find(place);
  if (typeof text !== 'string') return text;
  // As `json.decode`, and for results once.
  if (!spend(scope, 20 + text.length * 5)) return TOO_MANY_STEPS;
  const token = readToken(text, algorithms);
  if (typeof token === 'string') return fail(3416, { reason: token });
  // Before any key is asked for: it costs nothing, and who gets in is not decided by it alone.
  const late = notNow(token, place.type, scope.context.now());
  if (late !== null) return fail(3401, { reason: late });
  const verdict = await verifyToken(token, sources, sourcesPath, scope);
  if (verdict instanceof Failure) return verdict;
  switch (verdict) {
    case 'gone':
      return null;
    case 'no-set':
      return fail(3422);
    case 'no-key':
      return fail(3401, { reason: 'is signed by a key that is not published for this endpoint' });
    case 'wrong':
      return fail(3401, { reason: 'has a signature that is not right' });
    case 'right':
      break;
  }
  const allowed = texts(issuers, scope);
  if (allowed instanceof Failure) return allowed;
  const meant = audiences === null ? null : texts(audiences, scope);
  if (meant instanceof Failure) return meant;
  const elsewhere = notForHere(token.payload, allowed, meant);
  return elsewhere === null ? token : fail(3403, { reason: elsewhere });
}

/** One that is filled in with nothing allows nobody. */
function texts(templates: readonly Template[], scope: Scope): readonly string[] | Failure {
  const list: string[] = [];
  for (const template of templates) {
    const text = template.require(scope);
    if (text instanceof Failure) return text;
    if (text !== '') list.push(text);
  }
  return list;
}

/** RFC 6750 §3: who brought none is told only that one is needed. */
function refusal(error: PosternError): Outcome {
  const { number, status } = error;
  if (status !== 401) return failed(error, NO_HEADERS);
  const challenge = number === 3401 || number === 3416 ? 'Bearer error="invalid_token"' : 'Bearer';
  return failed(error, [['www-authenticate', challenge]]);
}

function resultOf(found: readonly Found[], error: PosternError | null): object {
  return {
    tokens: found.map(({ place, token }) => ({
      header: token?.header ?? {},
      location: place.method,
      location_property: place.name,
      payload: token?.payload ?? {},
      signature: token?.signature.toString('base64url') ?? '',
      verified: token !== null,
    })),
    error: { code: error?.code ?? '', message: error?.message ?? '' },
  };
}
