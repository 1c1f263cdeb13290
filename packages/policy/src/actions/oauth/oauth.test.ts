import { describe, expect, it } from 'vitest';
import { APP, says, World, type Answers } from '../../logins/testing.ts';
import { PROVIDERS } from './providers.ts';
import { PROVIDER_NAMES, type ProviderName } from './schema.ts';

const WHO =
  '${actions.ngrok.oauth.identity.provider_user_id}|${actions.ngrok.oauth.identity.email}|${actions.ngrok.oauth.identity.name}';

/** Answers as the providers have documented them, and who that is. */
const CASES: Readonly<Record<ProviderName, readonly [answers: Answers, who: string]>> = {
  amazon: [
    { 'https://api.amazon.com/user/profile': { user_id: 'amzn1.account.K2L', email: 'ada@test', name: 'Ada' } },
    'amzn1.account.K2L|ada@test|Ada',
  ],
  facebook: [
    { 'https://graph.facebook.com/v19.0/me?fields=id,name,email': { id: '101', name: 'Ada', email: 'ada@test' } },
    '101|ada@test|Ada',
  ],
  github: [
    {
      'https://api.github.com/user': { id: 583231, login: 'ada', name: null, email: null },
      'https://api.github.com/user/emails': [
        { email: 'old@test', verified: true, primary: false },
        { email: 'ada@test', verified: true, primary: true },
        { email: 'boss@test', verified: false, primary: false },
      ],
    },
    '583231|ada@test|ada',
  ],
  gitlab: [
    { 'https://gitlab.com/oauth/userinfo': { sub: '7', name: 'Ada', email: 'ada@test', email_verified: true } },
    '7|ada@test|Ada',
  ],
  google: [
    {
      'https://www.googleapis.com/oauth2/v3/userinfo': {
        sub: '11',
        name: 'Ada',
        email: 'a@test',
        email_verified: false,
      },
    },
    '11||Ada',
  ],
  linkedin: [
    {
      'https://api.linkedin.com/v2/me': { id: 'yrZCpj2Z12', localizedFirstName: 'Ada', localizedLastName: 'Lovelace' },
      'https://api.linkedin.com/v2/emailAddress?q=members&projection=(elements*(handle~))': {
        elements: [{ handle: 'urn:li:emailAddress:1', 'handle~': { emailAddress: 'ada@test' } }],
      },
    },
    'yrZCpj2Z12|ada@test|Ada Lovelace',
  ],
  microsoft: [
    {
      'https://graph.microsoft.com/v1.0/me': {
        id: '87d3',
        displayName: 'Ada',
        mail: 'boss@example.com',
        userPrincipalName: 'ada@contoso.com',
      },
    },
    '87d3|ada@contoso.com|Ada',
  ],
  twitch: [
    {
      'https://api.twitch.tv/helix/users': ({ headers }) =>
        headers['client-id'] === 'app' ? { data: [{ id: '141', display_name: 'Ada', email: 'ada@test' }] } : 401,
    },
    '141|ada@test|Ada',
  ],
};

const config = (provider: ProviderName, change: object = {}): object => ({ provider, ...APP, ...change });

async function person(provider: ProviderName, answers: Answers, change: object = {}): Promise<string> {
  const world = new World(config(provider, change), 'oauth');
  world.body = WHO;
  world.answers = {
    [PROVIDERS[provider].tokenUrl]: { access_token: 'a', scope: ['user:read'], token_type: 'bearer' },
    ...answers,
  };
  const outcome = await world.login();
  return says(outcome) === '302 https://app.example.com/' ? says(await world.visit()) : says(outcome);
}

describe('oauth', () => {
  it.each(PROVIDER_NAMES)('knows who somebody is at %s, and nobody whom it does not name', async (name) => {
    const [answers, who] = CASES[name];
    expect(await person(name, answers)).toBe(`200 ${who}`);
    const none = Object.fromEntries(Object.keys(answers).map((url) => [url, {}]));
    expect(await person(name, none)).toBe('502 90064');
    const refusing = Object.fromEntries(Object.keys(answers).map((url) => [url, 401]));
    expect(await person(name, refusing)).toBe('502 90064');
  });

  it.each(PROVIDER_NAMES)('asks %s for the least that tells who somebody is', async (name) => {
    const world = new World(config(name), 'oauth');
    const asked = await world.leave();
    expect(asked.get('scope')?.split(' ')).toEqual(PROVIDERS[name].scopes);
    expect(asked.get('code_challenge_method')).toBe(name === 'linkedin' ? null : 'S256');
    expect(asked.get('nonce')).toBe(null);
  });

  it('takes what people may write for no address', async () => {
    const { github, microsoft } = CASES;
    const unverified = {
      ...github[0],
      'https://api.github.com/user/emails': [{ email: 'boss@test', verified: false }],
    };
    expect(await person('github', unverified)).toBe('200 583231||ada');
    expect(await person('github', { ...github[0], 'https://api.github.com/user/emails': 404 })).toBe('200 583231||ada');
    const url = 'https://graph.microsoft.com/v1.0/me';
    const guest = {
      id: '1',
      userPrincipalName: 'boss_example.com#EXT#@evil.onmicrosoft.com',
      mail: 'boss@example.com',
    };
    expect(await person('microsoft', { ...microsoft[0], [url]: guest })).toBe('200 1||');
    const current = { 'https://api.linkedin.com/v2/userinfo': { sub: 'x', email: 'ada@test', name: 'Ada' } };
    expect(await person('linkedin', current, { scopes: ['openid', 'email'] })).toBe('200 x|ada@test|Ada');
  });

  it('needs an app: of the policy, or of the server', async () => {
    const world = new World({ provider: 'google' }, 'oauth');
    expect(says(await world.visit())).toBe('500 5535');
    world.settings = {
      clientId: 'shared',
      clientSecret: 's',
      issuer: '',
      authorizeUrl: 'https://own.test/auth',
      tokenUrl: 'https://own.test/token',
      userinfoUrl: 'https://own.test/me',
    };
    world.answers = {
      'https://own.test/token': { access_token: 'a' },
      'https://own.test/me': { sub: '1', email: 'ada@test' },
    };
    expect((await world.leave()).get('client_id')).toBe('shared');
    expect(says(await world.login())).toBe('302 https://app.example.com/');
    await world.visit();
    // Of an app that others use as well the service gets no tokens.
    expect(world.last?.req?.headers.has('ngrok-auth-oauth-access-token')).toBe(false);
    world.config = config('google');
    await world.login();
    await world.visit();
    expect(world.last?.req?.headers.get('ngrok-auth-oauth-access-token')).toBe('a');
  });
});
