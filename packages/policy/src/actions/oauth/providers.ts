/** Where the providers are and how each tells who a visitor is, as they have published it. Data, and how to read theirs. */
import { isMembers, type Members } from '../jwt-validation/token.ts';
import { textAt } from '../../logins/members.ts';
import { identityOf, type Identity } from '../../logins/session.ts';
import type { ProviderName } from './schema.ts';

type Params = readonly (readonly [string, string])[];

export interface KnownProvider {
  /** What answers call it (RFC 9207), where they do. */
  readonly issuer: string;
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  readonly userinfoUrl: string;
  /** The least that tells who somebody is. */
  readonly scopes: readonly string[];
  /** With every log-in; with one that shall ask again who it is. */
  readonly always: Params;
  readonly again: Params;
  readonly usesPkce: boolean;
  /** Asked with the token, a question for each; the answers come in the same order. */
  questions(userinfoUrl: string, scopes: readonly string[]): readonly Question[];
  identity(answers: readonly Members[]): Identity | null;
}

export interface Question {
  readonly url: string;
  /** The name of a header that has the client's id. */
  readonly clientHeader?: string;
  /** Without an answer the person is known all the same. */
  readonly mayFail?: boolean;
}

const one = (userinfoUrl: string): readonly Question[] => [{ url: userinfoUrl }];

/** OpenID Connect's names (Core §5.1). */
function standard([claims = {}]: readonly Members[]): Identity | null {
  const { sub, email, email_verified: verified, name } = claims;
  return identityOf(sub, verified === false ? '' : email, name);
}

export const PROVIDERS: Readonly<Record<ProviderName, KnownProvider>> = {
  amazon: {
    issuer: '',
    authorizeUrl: 'https://www.amazon.com/ap/oa',
    tokenUrl: 'https://api.amazon.com/auth/o2/token',
    userinfoUrl: 'https://api.amazon.com/user/profile',
    scopes: ['profile'],
    always: [],
    again: [['prompt', 'login']],
    usesPkce: true,
    questions: one,
    identity: ([claims = {}]) => identityOf(claims['user_id'], claims['email'], claims['name']),
  },
  facebook: {
    issuer: '',
    authorizeUrl: 'https://www.facebook.com/v19.0/dialog/oauth',
    tokenUrl: 'https://graph.facebook.com/v19.0/oauth/access_token',
    userinfoUrl: 'https://graph.facebook.com/v19.0/me?fields=id,name,email',
    scopes: ['email'],
    always: [],
    again: [['auth_type', 'reauthenticate']],
    usesPkce: true,
    questions: one,
    identity: ([claims = {}]) => identityOf(claims['id'], claims['email'], claims['name']),
  },
  github: {
    issuer: '',
    authorizeUrl: 'https://github.com/login/oauth/authorize',
    tokenUrl: 'https://github.com/login/oauth/access_token',
    userinfoUrl: 'https://api.github.com/user',
    // The last one for addresses that are not on the public profile.
    scopes: ['read:org', 'read:user', 'user:email'],
    always: [],
    again: [['prompt', 'select_account']],
    usesPkce: true,
    questions: (userinfoUrl) => [{ url: userinfoUrl }, { url: `${userinfoUrl}/emails`, mayFail: true }],
    identity([user = {}, mails = {}]) {
      const name = textAt(user, 'name') || textAt(user, 'login');
      return identityOf(user['id'], textAt(user, 'email') || primary(mails['list']), name);
    },
  },
  gitlab: {
    issuer: '',
    authorizeUrl: 'https://gitlab.com/oauth/authorize',
    tokenUrl: 'https://gitlab.com/oauth/token',
    userinfoUrl: 'https://gitlab.com/oauth/userinfo',
    scopes: ['openid', 'profile', 'email'],
    always: [],
    again: [],
    usesPkce: true,
    questions: one,
    identity: standard,
  },
  google: {
    issuer: 'https://accounts.google.com',
    authorizeUrl: 'https://accounts.google.com/o/oauth2/v2/auth',
    tokenUrl: 'https://oauth2.googleapis.com/token',
    userinfoUrl: 'https://www.googleapis.com/oauth2/v3/userinfo',
    scopes: ['https://www.googleapis.com/auth/userinfo.email', 'https://www.googleapis.com/auth/userinfo.profile'],
    // Refresh tokens are for those who ask so.
    always: [['access_type', 'offline']],
    again: [['prompt', 'select_account']],
    usesPkce: true,
    questions: one,
    identity: standard,
  },
  linkedin: {
    issuer: '',
    authorizeUrl: 'https://www.linkedin.com/oauth/v2/authorization',
    tokenUrl: 'https://www.linkedin.com/oauth/v2/accessToken',
    userinfoUrl: 'https://api.linkedin.com/v2/userinfo',
    scopes: ['r_liteprofile', 'r_emailaddress'],
    always: [],
    again: [],
    // Its apps with a secret take no verifier.
    usesPkce: false,
    questions: (userinfoUrl, scopes) => (scopes.includes('openid') ? one(userinfoUrl) : linkedinProfile(userinfoUrl)),
    identity: ([first = {}, mails = {}]) => (first['sub'] === undefined ? linkedin(first, mails) : standard([first])),
  },
  microsoft: {
    issuer: '',
    authorizeUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
    tokenUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
    userinfoUrl: 'https://graph.microsoft.com/v1.0/me',
    scopes: ['User.Read'],
    always: [],
    again: [['prompt', 'login']],
    usesPkce: true,
    questions: one,
    identity([user = {}]) {
      // Any tenant may write any address into `mail`; the domain of this name it has to own.
      const account = textAt(user, 'userPrincipalName');
      return identityOf(user['id'], account.includes('#EXT#') ? '' : account, user['displayName']);
    },
  },
  twitch: {
    issuer: '',
    authorizeUrl: 'https://id.twitch.tv/oauth2/authorize',
    tokenUrl: 'https://id.twitch.tv/oauth2/token',
    userinfoUrl: 'https://api.twitch.tv/helix/users',
    scopes: ['user:read:email'],
    always: [],
    again: [['force_verify', 'true']],
    usesPkce: true,
    questions: (userinfoUrl) => [{ url: userinfoUrl, clientHeader: 'client-id' }],
    identity([answer = {}]) {
      const [user] = Array.isArray(answer['data']) ? (answer['data'] as unknown[]) : [];
      return isMembers(user) ? identityOf(user['id'], user['email'], user['display_name']) : null;
    },
  },
};

function primary(list: unknown): string {
  if (!Array.isArray(list)) return '';
  const mails = (list as unknown[]).filter(isMembers).filter(({ verified }) => verified === true);
  return textAt(mails.find((mail) => mail['primary'] === true) ?? mails[0] ?? {}, 'email');
}

/** Before OpenID Connect: two questions for one person. */
function linkedinProfile(userinfoUrl: string): readonly Question[] {
  const { origin } = new URL(userinfoUrl);
  return [
    { url: `${origin}/v2/me` },
    { url: `${origin}/v2/emailAddress?q=members&projection=(elements*(handle~))`, mayFail: true },
  ];
}

function linkedin(profile: Members, mails: Members): Identity | null {
  const [element] = Array.isArray(mails['elements']) ? (mails['elements'] as unknown[]) : [];
  const handle = isMembers(element) ? element['handle~'] : null;
  const email = isMembers(handle) ? handle['emailAddress'] : '';
  const name = `${textAt(profile, 'localizedFirstName')} ${textAt(profile, 'localizedLastName')}`.trim();
  return identityOf(profile['id'], email, name);
}
