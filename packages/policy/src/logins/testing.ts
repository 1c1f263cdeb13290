/** A provider made of plain answers, a browser's cookies and a clock, for tests of log-ins. */
import type { PosternError } from '@postern/errors';
import type { LoginEvent } from '@postern/link';
import { ALL, tokenOf, type Signing } from '../actions/jwt-validation/testing.ts';
import type { Outcome, PolicyServices, Sessions } from '../index.ts';
import { compilePolicy } from '../index.ts';
import type { ProviderAnswer, ProviderProblem, ProviderRequest, ProviderSettings } from '../services.ts';
import { makeContext, NOW, type Facts, type TestContext } from '../testing/context.ts';
import { CLOUD } from '../testing/run.ts';
import { returnFromProvider } from './return.ts';

export const ISSUER = 'https://issuer.test';
export const APP = { client_id: 'app', client_secret: 'secret' };

const DOCUMENT = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/auth`,
  token_endpoint: `${ISSUER}/token`,
  userinfo_endpoint: `${ISSUER}/me`,
  jwks_uri: `${ISSUER}/keys`,
};

export const SHOW =
  'known ${actions.ngrok.oidc.identity.email}|${actions.ngrok.oidc.identity.name}|' +
  '${actions.ngrok.oidc.userinfo_refreshed}|${actions.ngrok.oidc.expires_at}';

export type Answers = Readonly<Record<string, object | number | ((request: ProviderRequest) => object | number)>>;

/** One browser, one endpoint, one provider. Everything of them may be changed between two requests. */
export class World {
  now = NOW;
  cookies = new Map<string, string>();
  document: Readonly<Record<string, unknown>> = DOCUMENT;
  /** In place of the document. */
  problem: ProviderProblem | null = null;
  /** By address: a body with status 200, a status, or what makes one of them. Nothing = nobody answers. */
  answers: Answers = {};
  settings: ProviderSettings | null = null;
  config: object;
  type: string;
  body = SHOW;
  readonly asked: ProviderRequest[] = [];
  readonly ended = new Set<string>();
  readonly spent = new Set<string>();
  readonly told: LoginEvent[] = [];
  warnings: readonly string[] = [];
  last: TestContext | null = null;

  constructor(config: object = {}, type = 'openid-connect') {
    this.type = type;
    this.config = type !== 'openid-connect' ? config : { issuer_url: ISSUER, ...APP, ...config };
  }

  readonly sessions: Sessions = (() => {
    let count = 0;
    const shared = new Map<string, Promise<unknown>>();
    return {
      seal: (text, place) => `k.${Buffer.from(JSON.stringify([place, text])).toString('base64url')}`,
      open(sealed, place) {
        try {
          const read: unknown = JSON.parse(Buffer.from(sealed.slice(2), 'base64url').toString());
          const [where, text] = Array.isArray(read) ? read.map(String) : [];
          if (text === undefined) return null;
          return where === place ? { text, old: false } : null;
        } catch {
          return null;
        }
      },
      random: () => `r${++count}r`.padEnd(43, '_'),
      end: (id) => void this.ended.add(id),
      isOver: (id, person) => this.ended.has(id) || this.ended.has(person),
      spend: (key) => this.spent.size < this.spent.add(key).size,
      isUnseen: () => true,
      tell: (event) => void this.told.push(event),
      once: <T>(key: string, work: () => Promise<T>) => {
        // oxlint-disable-next-line no-unsafe-type-assertion -- of the same key, and so of the same work
        const known = shared.get(key) as Promise<T> | undefined;
        const result = known ?? work();
        shared.set(key, result);
        return result;
      },
      isShared: (domain) => domain === 'base.test',
    } satisfies Sessions;
  })();

  get services(): Partial<PolicyServices> {
    return {
      sessions: this.sessions,
      keys: { at: (url) => (url === DOCUMENT.jwks_uri ? ALL : Promise.resolve({ problem: 'there is none' })) },
      providers: {
        callbackUrl: 'https://idp.test/oauth2/callback',
        settings: () => this.settings,
        ask: (request) => Promise.resolve(this.#answer(request)),
        document: () => (this.problem === null ? { document: this.document } : Promise.resolve(this.problem)),
      },
    };
  }

  #answer(request: ProviderRequest): ProviderAnswer | ProviderProblem {
    this.asked.push(request);
    const written = this.answers[request.url];
    const answer = typeof written === 'function' ? written(request) : written;
    if (answer === undefined) return { problem: 'nobody answers' };
    if (typeof answer === 'number') return { status: answer, body: Buffer.from('{}') };
    return { status: 200, body: Buffer.from(JSON.stringify(answer)) };
  }

  /** One request of the browser. */
  async visit(target = '/', facts: Facts = {}): Promise<Outcome> {
    const rules = [
      { actions: [{ type: this.type, config: this.config }] },
      { actions: [{ type: 'custom-response', config: { body: this.body } }] },
    ];
    const policy = compilePolicy({ on_http_request: rules }, CLOUD);
    const context = makeContext({
      target,
      now: this.now,
      loginCookies: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      services: this.services,
      ...facts,
    });
    const outcome = await policy.onHttpRequest?.start(context).next();
    if (outcome === undefined) throw new Error('the policy has no rules');
    this.last = context;
    this.warnings = context.warnings;
    const headers = 'headers' in outcome ? outcome.headers : [];
    for (const [name, value] of [...headers, ...(context.req?.answerHeaders ?? [])])
      if (name === 'set-cookie') this.keep(value);
    return outcome;
  }

  keep(line: string): void {
    const [pair = ''] = line.split('; ');
    const [name = '', ...value] = pair.split('=');
    if (line.includes('Max-Age=0')) this.cookies.delete(name);
    else this.cookies.set(name, value.join('='));
  }

  /** Away to the provider. @returns the query that it is asked with */
  async leave(target = '/'): Promise<URLSearchParams> {
    return new URL(locationOf(await this.visit(target))).searchParams;
  }

  /** What the server's own address makes of what the provider answers: a target of the endpoint, or an error. */
  back(answer: Readonly<Record<string, string>>): string | PosternError {
    const query = new URLSearchParams(answer).toString();
    const location = returnFromProvider(`/oauth2/callback?${query}`, this.sessions, this.now);
    if (typeof location !== 'string') return location;
    const { pathname, search } = new URL(location);
    return pathname + search;
  }

  /** The whole way, up to the redirect to the page that was asked for. */
  async login(target = '/', answer: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    const asked = await this.leave(target);
    const nonce = asked.get('nonce') ?? '';
    const given = this.answers;
    if (given[DOCUMENT.token_endpoint] === undefined) this.answers = { ...good(nonce), ...given };
    const back = this.back({ code: 'c', state: asked.get('state') ?? '', ...answer });
    if (typeof back !== 'string') throw back;
    return this.visit(back);
  }
}

export const PERSON = { sub: 'ada-1', email: 'ada@test', email_verified: true, name: 'Ada' };

/** What a provider that does everything right answers. */
export function good(nonce: string, { claims, ...signing }: Signing = {}, tokens: object = {}): Answers {
  return {
    [DOCUMENT.token_endpoint]: {
      access_token: 'access-1',
      token_type: 'Bearer',
      expires_in: 3_600,
      refresh_token: 'refresh-1',
      id_token: idToken(nonce, claims, signing),
      ...tokens,
    },
    [DOCUMENT.userinfo_endpoint]: PERSON,
  };
}

function idToken(nonce: string, claims: object = {}, signing: Signing = {}): string {
  const own = { iss: ISSUER, aud: 'app', sub: PERSON.sub, nonce, iat: NOW / 1000, exp: NOW / 1000 + 1e7, ...claims };
  return tokenOf({ ...signing, claims: own });
}

export function locationOf(outcome: Outcome): string {
  const headers = 'headers' in outcome ? outcome.headers : [];
  return headers.find(([name]) => name === 'location')?.[1] ?? `nowhere: ${says(outcome)}`;
}

/** `302 https://…`, `200 body` or `502 90064`. */
export function says(outcome: Outcome): string {
  if (outcome.kind === 'error') return `${outcome.error.status} ${outcome.error.number}`;
  if (outcome.kind !== 'respond') return outcome.kind;
  const location = outcome.headers.find(([name]) => name === 'location')?.[1];
  return `${outcome.status} ${location?.replace(/\?.*/, '') ?? outcome.body.toString()}`;
}
