import type { ErrorEntry } from '../entry.ts';

/** What a visitor of an endpoint is told (spec: traffic-policy.md §9.4). */
export const GATEWAY_ERRORS = {
  743: {
    status: 503,
    owner: 'capacity',
    title: 'Too busy',
    message:
      'The agent behind this endpoint carries {limit} connections at once, all of its places or those of one visitor are taken, and none came free within {seconds} seconds. Try again in a moment. The settings are max_streams_per_agent, max_streams_per_own_agent and queue_timeout.',
  },
  3004: {
    status: 502,
    owner: 'upstream',
    title: 'Bad answer from the upstream',
    message: 'The service behind this endpoint sent something that is not a valid HTTP response: {reason}.',
  },
  3005: {
    status: 504,
    owner: 'upstream',
    title: 'Upstream timed out',
    message: 'The service behind this endpoint did not answer within {seconds} seconds.',
  },
  3200: {
    status: 404,
    owner: 'config',
    title: 'Endpoint offline',
    message: 'No endpoint is online at {url}. Start its agent, or check the name.',
  },
  3210: {
    status: 502,
    owner: 'upstream',
    title: 'Agent connection lost',
    message:
      'The connection to the agent behind this endpoint was lost before it answered. It reconnects by itself; try again.',
  },
  90001: {
    status: 404,
    owner: 'config',
    title: 'Another scheme',
    message: 'Nothing is online at {url}, but {other} is there. Open that address instead.',
  },
  90002: { status: 400, owner: 'client', title: 'Bad request', message: 'This request is not valid HTTP: {reason}.' },
  90003: {
    status: 431,
    owner: 'client',
    title: 'Request head too large',
    message: 'The head of this request is larger than {limit} bytes.',
  },
  90004: {
    status: 408,
    owner: 'client',
    title: 'Request too slow',
    message: 'The head of this request did not arrive within {seconds} seconds.',
  },
  90005: {
    status: 421,
    owner: 'client',
    title: 'Wrong connection',
    message: 'This host has connection rules that did not run on this connection. Open a new connection for it.',
  },
  90006: {
    status: 426,
    owner: 'client',
    title: 'TLS expected',
    message: 'This port takes TLS. Use https:// or a TLS client.',
  },
  90007: {
    status: 400,
    owner: 'client',
    title: 'Plain HTTP expected',
    message: 'This port takes plain HTTP; a TLS handshake arrived. Use http://, or the HTTPS port.',
  },
  90008: {
    status: 502,
    owner: 'upstream',
    title: 'Response head too large',
    message: "The head of the upstream's response is larger than {limit} bytes.",
  },
  8012: {
    status: 502,
    owner: 'upstream',
    title: 'Agent cannot reach the service',
    message:
      "The agent is online, but it could not connect to {upstream}. Start the service there, or correct the agent's target.",
  },
  90009: {
    status: 405,
    owner: 'client',
    title: 'Method not supported',
    message: 'The method {method} is not supported here.',
  },
  90013: {
    status: 508,
    owner: 'config',
    title: 'Endpoint leads back to itself',
    message:
      'The service behind {url} sends its requests back to that endpoint. Let its agent forward to the service itself, not to an address of this server.',
  },
  90012: {
    status: 503,
    owner: 'capacity',
    title: 'Refused by the agent',
    message: 'The agent behind this endpoint takes no further connection at the moment. Try again.',
  },
  90011: {
    status: 408,
    owner: 'client',
    title: 'Request too slow',
    message:
      'The body of this request came so slowly that others had to wait for its place. Send it again over a faster line.',
  },
  90090: {
    status: 503,
    owner: 'capacity',
    title: 'Too many visitors',
    message: 'More visitors come to this server than it can serve at the moment. Try again in a few seconds.',
  },
  90019: {
    status: 503,
    owner: 'platform',
    title: 'Coming back',
    message:
      'The server was restarted, and the agent behind {url} is expected to connect again. Try again in a moment.',
  },
  90010: {
    status: 500,
    owner: 'platform',
    title: 'Internal error',
    message: 'This server failed while it handled the request. Try again; its log says what went wrong.',
  },
} as const satisfies Record<number, ErrorEntry>;
