import type { ErrorEntry } from '../entry.ts';

/** What the visitor is told whose log-in at an identity provider does not come to an end (spec: traffic-policy.md §9.3). */
export const POLICY_LOGIN_ERRORS = {
  3107: {
    status: 400,
    owner: 'client',
    title: 'Log-in without its state',
    message: 'The identity provider sent you back without saying which log-in that was. Open the page again.',
  },
  3108: {
    status: 400,
    owner: 'client',
    title: 'Unknown log-in',
    message: 'The log-in that you come back from was not begun here, or was changed on its way. Open the page again.',
  },
  3119: {
    status: 400,
    owner: 'client',
    title: 'Log-in took too long',
    message: 'A log-in has to be finished within {minutes} minutes. Open the page again.',
  },
  3121: {
    status: 400,
    owner: 'client',
    title: "Another browser's log-in",
    message:
      'The log-in that you come back from was not begun in this browser, or its cookie is gone. Open the page again, with cookies allowed.',
  },
  3122: {
    status: 400,
    owner: 'client',
    title: 'Log-in used before',
    message: 'The identity provider says that this log-in has expired, or was used before. Open the page again.',
  },
  3124: {
    status: 400,
    owner: 'client',
    title: 'Log-in for another host',
    message: 'The log-in that you come back from was begun at another address. Open the page again.',
  },
  3125: {
    status: 403,
    owner: 'client',
    title: 'Log-in denied',
    message: 'The identity provider did not let you in: {reason}.',
  },
  3126: {
    status: 500,
    owner: 'config',
    title: 'Log-in asks for too much',
    message: 'The identity provider does not give what the policy of this endpoint asks for (its scopes).',
  },
  3127: {
    status: 500,
    owner: 'config',
    title: 'Log-in is set up wrongly',
    message:
      'The identity provider does not take the client id and secret in the policy of this endpoint. Whoever runs it has to correct them.',
  },
  3160: {
    status: 502,
    owner: 'upstream',
    title: 'Identity provider does not answer',
    message: "The identity provider could not be asked who you are. Try again in a moment; the server's log says why.",
  },
  3161: {
    status: 503,
    owner: 'capacity',
    title: 'Too many log-ins at once',
    message: 'More visitors are logging in than this endpoint has places for. Try again in a few seconds.',
  },
  3313: {
    status: 500,
    owner: 'config',
    title: 'Cookie domain does not fit',
    message: 'The auth_cookie_domain "{domain}" of this endpoint\'s policy cannot be used for {host}: {reason}.',
  },
  5535: {
    status: 500,
    owner: 'config',
    title: 'Provider needs a client id',
    message:
      '{path}: this server has no app of its own at "{provider}". Give client_id and client_secret, or name an app in --oauth-apps.',
  },
  90064: {
    status: 502,
    owner: 'upstream',
    title: "Identity provider's answer cannot be used",
    message: 'What the identity provider answered cannot be used: it {reason}.',
  },
  90065: {
    status: 404,
    owner: 'client',
    title: 'Nothing here',
    message: 'Identity providers send visitors back to this address after a log-in. There is nothing else here.',
  },
  90085: {
    status: 400,
    owner: 'client',
    title: "Identity provider's response refused",
    message: 'What your browser brings from the identity provider is not taken: it {reason}.',
  },
} as const satisfies Record<number, ErrorEntry>;
