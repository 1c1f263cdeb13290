import type { ErrorEntry } from '../entry.ts';

/** What the visitor is told when a policy runs (spec: traffic-policy.md §9.2). */
export const POLICY_RUN_ERRORS = {
  2238: {
    status: 500,
    owner: 'config',
    title: 'Interpolation failed',
    message: 'An expression of the traffic policy could not be filled in while handling this request: {reason}.',
  },
  2249: {
    status: 500,
    owner: 'config',
    title: 'Variables too large',
    message: 'The variables of the traffic policy would hold more than {max} characters while handling this request.',
  },
  2254: {
    status: 500,
    owner: 'config',
    title: 'Expression failed',
    message: 'An expression of the traffic policy could not be evaluated for this request: {reason}.',
  },
  3211: {
    status: 403,
    owner: 'client',
    title: 'User agent not allowed',
    message: 'This endpoint does not take requests of your user agent.',
  },
  90033: {
    status: 400,
    owner: 'client',
    title: 'More than rules look at',
    message: "This request has more than {max} {what}, and this endpoint's rules look at no more. Send fewer.",
  },
  90034: {
    status: 500,
    owner: 'config',
    title: 'Rules took too much',
    message: "The rules of this endpoint's traffic policy could not be judged for this request: {reason}.",
  },
  90035: {
    status: 400,
    owner: 'client',
    title: 'Control character for a header',
    message: 'This request would put a control character into the header "{name}", where none may be.',
  },
  90036: {
    status: 503,
    owner: 'capacity',
    title: 'Too many passwords at once',
    message: 'More passwords are being checked for this endpoint than it has places for. Try again in a few seconds.',
  },
  90037: {
    status: 429,
    owner: 'client',
    title: 'Too many requests',
    message: 'More requests like this one came than this endpoint lets through. Try again in {seconds} s.',
  },
  90038: {
    status: 504,
    owner: 'config',
    title: 'Policy took too long',
    message: 'The rules of this endpoint waited for more than {seconds} seconds, and the request was ended.',
  },
  90039: {
    status: 503,
    owner: 'capacity',
    title: 'Too many requests of policies at once',
    message:
      "More http-requests of this endpoint's traffic policy are waiting for their turn than it has places for. Try again in a few seconds.",
  },
  2300: {
    status: 500,
    owner: 'platform',
    title: 'Action failed',
    message: 'The traffic-policy action "{type}" failed while handling this request. The server\'s log says why.',
  },
  3202: {
    status: 503,
    owner: 'upstream',
    title: 'Circuit open',
    message:
      'Too many requests to the service behind this endpoint have failed lately, and it is spared for a while. Try again in a few seconds.',
  },
  3203: {
    status: 403,
    owner: 'client',
    title: 'Address not allowed',
    message: "The address {ip} is not allowed by this endpoint's IP rules.",
  },
  3204: {
    status: 403,
    owner: 'client',
    title: 'Webhook not verified',
    message: 'This request does not carry a valid signature of the provider whose webhooks this endpoint takes.',
  },
  3206: {
    status: 400,
    owner: 'client',
    title: 'WebSocket expected',
    message: 'This endpoint takes WebSocket connections only, and this request opens none: {reason}.',
  },
  3213: {
    status: 403,
    owner: 'client',
    title: 'Origin not allowed',
    message: 'A page of {origin} may not open WebSocket connections to this endpoint.',
  },
  3214: {
    status: 502,
    owner: 'config',
    title: 'Too many redirects',
    message:
      "The service that an http-request of this endpoint's traffic policy calls redirected more than {max} times. The setting is max_redirects.",
  },
  3501: {
    status: 502,
    owner: 'config',
    title: 'Too many forwards',
    message:
      'This request was forwarded between internal endpoints more than {max} times. Look for a loop of forward-internal actions.',
  },
  3601: {
    status: 502,
    owner: 'upstream',
    title: 'Answer too large for the policy',
    message:
      "The answer to an http-request of this endpoint's traffic policy has more than {max} bytes, counted when it is decoded.",
  },
  3602: {
    status: 504,
    owner: 'upstream',
    title: 'No answer for the policy in time',
    message:
      "An http-request of this endpoint's traffic policy was not answered in time. The setting is timeout, and counts all tries together.",
  },
  3603: {
    status: 508,
    owner: 'config',
    title: 'Requests of policies lead to each other',
    message:
      'Traffic policies called one another by http-request more than {max} levels deep. Look for endpoints whose policies call each other.',
  },
  3604: {
    status: 500,
    owner: 'config',
    title: 'Status cannot have a body',
    message: 'The traffic policy answered {status} with a body, which that status may not have.',
  },
  3700: {
    status: 403,
    owner: 'client',
    title: 'Request blocked',
    message: "This request looks like an attack to the rules of this endpoint's firewall, and was not let through.",
  },
  3701: {
    status: 500,
    owner: 'config',
    title: 'Firewall could not judge',
    message: "The firewall of this endpoint's traffic policy could not judge this message: {reason}.",
  },
  3702: {
    status: 403,
    owner: 'upstream',
    title: 'Answer blocked',
    message: "The answer to this request would tell what it should not, by the rules of this endpoint's firewall.",
  },
  3901: {
    status: 500,
    owner: 'config',
    title: 'Interpolated pattern not valid',
    message: '{path}: filled in for this request, this is no regular expression, or too large a one.',
  },
  3902: {
    status: 413,
    owner: 'client',
    title: 'Body too large for the rules',
    message: 'The rules of this endpoint have to read the body of this request, and read no more than {max} bytes.',
  },
  3903: {
    status: 503,
    owner: 'capacity',
    title: 'No room for the body',
    message:
      'The rules of this endpoint have to read the body of this request, or of its answer, and there is no memory for it now. Try again in a few seconds.',
  },
  3904: {
    status: 500,
    owner: 'config',
    title: 'Body cannot be changed',
    message:
      'The rules of this endpoint have to change the body of this request, or of its answer, and cannot: {reason}.',
  },
  90080: {
    status: 502,
    owner: 'upstream',
    title: 'Answer too large for the rules',
    message: 'The rules of this endpoint have to read the body of this answer, and read no more than {max} bytes.',
  },
  90081: {
    status: 504,
    owner: 'upstream',
    title: 'Answer too slow for the rules',
    message: 'The rules of this endpoint have to read the body of this answer, and it did not arrive in time.',
  },
  90082: {
    status: 503,
    owner: 'capacity',
    title: 'Too many bodies at once',
    message:
      'More bodies are being changed for this endpoint, or for you, than there are places for. Try again in a few seconds.',
  },
  90060: {
    status: 408,
    owner: 'client',
    title: 'Body too slow for the rules',
    message: 'The rules of this endpoint have to read the body of this request, and it did not arrive in time.',
  },
  6029: {
    status: 500,
    owner: 'config',
    title: 'Policy ended without an answer',
    message:
      "Every rule of this cloud endpoint's traffic policy was passed and none answered. End with a rule without expressions.",
  },
} as const satisfies Record<number, ErrorEntry>;
