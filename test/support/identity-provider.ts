/** A real OpenID Connect provider (npm `oidc-provider`) on loopback, whose people log in without a page. */
import { generateKeyPairSync } from 'node:crypto';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

export interface Person {
  readonly sub: string;
  readonly email: string;
  readonly email_verified: boolean;
  readonly name: string;
}

export interface IdentityProvider extends AsyncDisposable {
  readonly issuer: string;
  readonly port: number;
  /** Seconds that an access token holds which it gives from now on. */
  accessTokenSeconds: number;
  /** Who sits in front of its pages; null = nobody who would say yes. */
  who: Person | null;
  /** Those whom it knows no more. */
  readonly gone: Set<string>;
  /** Paths of requests, in order: what came from browsers and from the server alike. */
  readonly asked: string[];
  /** Queries of requests to its authorization endpoint. */
  readonly authorizations: URLSearchParams[];
  /** Answers in its place, for a provider with faults; null = it answers itself. */
  fault: ((request: IncomingMessage, response: ServerResponse) => boolean) | null;
  close(): Promise<void>;
}

export const CLIENT = { id: 'app', secret: 'a secret: of/the app+' };
export const POST_CLIENT = { id: 'post app', secret: 'another secret' };

export const ADA: Person = { sub: 'ada-1', email: 'Ada@example.com', email_verified: true, name: 'Ada Lovelace' };
export const BOB: Person = { sub: 'bob-2', email: 'bob@elsewhere.org', email_verified: true, name: 'Bob' };

export async function identityProvider({ callbackUrl }: { readonly callbackUrl: string }): Promise<IdentityProvider> {
  const server = http.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const people = new Map([ADA, BOB].map((person) => [person.sub, person]));
  const client = (one: { id: string; secret: string }, method: string): object => ({
    client_id: one.id,
    client_secret: one.secret,
    token_endpoint_auth_method: method,
    redirect_uris: [callbackUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  });
  const provider = new Provider(issuer, {
    clients: [client(CLIENT, 'client_secret_basic'), client(POST_CLIENT, 'client_secret_post')],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' }] },
    cookies: { keys: ['only for a test'] },
    pkce: { required: () => true },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    issueRefreshToken: () => Promise.resolve(true),
    ttl: {
      AccessToken: () => result.accessTokenSeconds,
      AuthorizationCode: 60,
      Grant: 3_600,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: 3_600,
      Session: 3_600,
    },
    findAccount: (_context: unknown, sub: string) => {
      const person = result.gone.has(sub) ? undefined : people.get(sub);
      return Promise.resolve(person && { accountId: sub, claims: () => Promise.resolve({ ...person }) });
    },
  });
  const own = provider.callback();
  const result: IdentityProvider = {
    issuer,
    port,
    accessTokenSeconds: 600,
    who: ADA,
    gone: new Set(),
    asked: [],
    authorizations: [],
    fault: null,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    [Symbol.asyncDispose]: () => result.close(),
  };

  async function interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { prompt, params } = await provider.interactionDetails(request, response);
    const { who } = result;
    if (who === null) return provider.interactionFinished(request, response, { error: 'access_denied' });
    const login = { accountId: who.sub };
    if (prompt.name === 'login') return provider.interactionFinished(request, response, { login });
    const grant = new provider.Grant({ accountId: who.sub, clientId: String(params['client_id']) });
    grant.addOIDCScope(String(params['scope']));
    return provider.interactionFinished(request, response, { login, consent: { grantId: await grant.save() } });
  }

  server.on('request', (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', issuer);
    result.asked.push(pathname);
    if (pathname === '/auth') result.authorizations.push(searchParams);
    if (result.fault?.(request, response) === true) return;
    if (!pathname.startsWith('/interaction/')) return own(request, response);
    interact(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  return result;
}
