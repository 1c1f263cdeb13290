import type { ErrorEntry } from '../entry.ts';

/** What the visitor is told whose tokens a policy does not take (spec: traffic-policy.md §9.3). */
export const POLICY_TOKEN_ERRORS = {
  3401: {
    status: 401,
    owner: 'client',
    title: 'No valid token',
    message: 'A token of this request is not valid: it {reason}.',
  },
  3403: {
    status: 403,
    owner: 'client',
    title: 'Token for something else',
    message: 'A token of this request is valid, but does not let in here: it {reason}.',
  },
  3406: {
    status: 401,
    owner: 'client',
    title: 'Token missing',
    message: 'This request has no token in "{name}", where this endpoint asks for one.',
  },
  3408: {
    status: 401,
    owner: 'client',
    title: 'Header of the token missing',
    message: 'This request has no header "{name}", where this endpoint asks for a token.',
  },
  3411: {
    status: 401,
    owner: 'client',
    title: 'No JSON to find the token in',
    message: 'This endpoint asks for a token in the body, and the body of this request is no JSON object.',
  },
  3412: {
    status: 401,
    owner: 'client',
    title: 'No form to find the token in',
    message:
      'This endpoint asks for a token in the body, and the form of this request has more fields than it looks at.',
  },
  3413: {
    status: 401,
    owner: 'client',
    title: 'Token without its prefix',
    message: 'What this request has in "{name}" does not begin as the token that this endpoint asks for.',
  },
  3414: {
    status: 401,
    owner: 'client',
    title: 'Body cannot have a token',
    message:
      'This endpoint asks for a token in the body, which has to be JSON or a URL-encoded form by its Content-Type.',
  },
  3415: {
    status: 401,
    owner: 'client',
    title: 'Method without a token',
    message: 'This endpoint asks for a token in the body, which requests by POST, PUT and PATCH can have.',
  },
  3416: {
    status: 401,
    owner: 'client',
    title: 'Malformed token',
    message: 'A token of this request cannot be looked at: it {reason}.',
  },
  3422: {
    status: 500,
    owner: 'config',
    title: 'Keys could not be had',
    message:
      "The keys that tokens for this endpoint are signed by could not be had, so that nobody's token can be checked. The server's log says why.",
  },
} as const satisfies Record<number, ErrorEntry>;
