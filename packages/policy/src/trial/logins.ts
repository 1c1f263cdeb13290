/** Log-ins of a trial: nobody goes to a provider, and who has logged in is given. */
import { sessionLines } from '../logins/cookies.ts';
import { identityOf, writeSession } from '../logins/session.ts';
import type { ProviderSettings, Sessions } from '../services.ts';
import type { Given } from './given.ts';

/** Whether a server has an app is known to the server; here it has one at each provider. */
export const SERVERS_APP: ProviderSettings = {
  clientId: 'app-of-the-server',
  clientSecret: 'secret',
  issuer: '',
  authorizeUrl: '',
  tokenUrl: '',
  userinfoUrl: '',
};

const GIVEN = 'given';
const UNKNOWN = 'nobody could guess this of a log-in';

/** What the browser of the given visitor sends, whatever the policy makes of its cookies' domain. */
export function trialCookies({ login, request }: Given): string {
  if (login === null) return '';
  const place = { secure: request.scheme === 'https', authId: login.authId };
  return ['', 'a.domain']
    .flatMap((domain) => sessionLines(GIVEN, { ...place, domain }, 1, ''))
    .map((line) => line.slice(0, line.indexOf(';')))
    .join('; ');
}

export function trialSessions({ login, now }: Given): Sessions {
  return {
    seal: (text) => Buffer.from(text).toString('base64url'),
    open(sealed, place) {
      const identity = login === null ? null : identityOf(login.id, login.email, login.name);
      if (sealed !== GIVEN || !place.startsWith('session ') || identity === null) return null;
      const tokens = { access: '', refresh: '', identity: '', expiresAt: 0 };
      const times = { begunAt: now, seenAt: now, knownAt: now, askedAt: now };
      return { text: writeSession({ id: GIVEN, identity, tokens, config: '', ...times }).text, old: false };
    },
    random: () => Buffer.from(UNKNOWN).toString('base64url').slice(0, 43),
    end: () => {},
    isOver: () => false,
    spend: () => true,
    isUnseen: () => false,
    tell: () => {},
    once: (_key, work) => work(),
    isShared: () => false,
  };
}
