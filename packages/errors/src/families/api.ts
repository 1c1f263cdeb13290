import type { ErrorEntry } from '../entry.ts';

/** The REST pipeline: credentials, version, content type, body, query (spec: api.md §1–§2). */
export const API_ERRORS = {
  200: {
    status: 403,
    owner: 'client',
    title: 'No API key',
    message:
      'This call carries no Authorization header. Send "Authorization: Bearer <API key>"; the first key is in the file api_key of the data directory.',
  },
  201: {
    status: 403,
    owner: 'client',
    title: 'Unreadable Authorization header',
    message: 'The Authorization header has no form that this server reads. Send "Authorization: Bearer <API key>".',
  },
  202: {
    status: 403,
    owner: 'client',
    title: 'Not an API key',
    message:
      'The credential {masked} does not have the shape of an API key. An API key is two parts joined by an underscore; copy it whole.',
  },
  203: {
    status: 403,
    owner: 'client',
    title: 'Unknown API key',
    message: 'The API key {masked} is not known here, or it was deleted. Create a new one and try again.',
  },
  206: {
    status: 403,
    owner: 'client',
    title: 'An authtoken is not an API key',
    message: 'The credential {masked} is an agent authtoken. The API takes an API key; authtokens are for agents.',
  },
  208: {
    status: 403,
    owner: 'client',
    title: 'An id is not an API key',
    message:
      'The credential {masked} is the id of an API key, not the key itself. The key is shown once, when it is created.',
  },
  210: {
    status: 415,
    owner: 'client',
    title: 'Unsupported content type',
    message: 'This call has content type "{content_type}". Send "Content-Type: application/json".',
  },
  212: {
    status: 400,
    owner: 'client',
    title: 'Unreadable body',
    message: 'The body of this call could not be read to its end: {reason}.',
  },
  213: {
    status: 400,
    owner: 'client',
    title: 'Body is not JSON',
    message: 'The body of this call is invalid: it is not a JSON object ({reason}).',
  },
  214: {
    status: 400,
    owner: 'client',
    title: 'Unknown field',
    message: 'The field "{field}" is not known to this call. Known fields: {known}.',
  },
  215: {
    status: 400,
    owner: 'client',
    title: 'Bad field value',
    message: 'The field "{field}" has a value that cannot be used: {reason}.',
  },
  216: {
    status: 400,
    owner: 'client',
    title: 'Content type missing',
    message: 'This call has a body and no content type. Send "Content-Type: application/json".',
  },
  217: {
    status: 400,
    owner: 'client',
    title: 'Unsupported API version',
    message: 'API version "{version}" is not served here. Send the header "Ngrok-Version: 2".',
  },
  218: {
    status: 400,
    owner: 'client',
    title: 'API version missing',
    message: 'This call names no API version. Send the header "Ngrok-Version: 2".',
  },
  222: {
    status: 404,
    owner: 'client',
    title: 'Not an id of this resource',
    message:
      'The identifier "{id}" is not a valid identifier of this resource: they look like {prefix}_ and 27 letters and digits.',
  },
  223: {
    status: 400,
    owner: 'client',
    title: 'Bad reference',
    message: 'The field "{field}" names "{id}", which does not exist.',
  },
  226: {
    status: 429,
    owner: 'capacity',
    title: 'Too many API calls',
    message:
      'More than {limit} API calls came from this key or account in {seconds} seconds. Wait {retry_after} seconds and go on more slowly, or raise --api-rate-limit.',
  },
  227: {
    status: 400,
    owner: 'client',
    title: 'Wrong kind of id',
    message: 'The field "{field}" takes an id that begins with {prefix}_; "{id}" does not.',
  },
  230: {
    status: 400,
    owner: 'client',
    title: 'Malformed query',
    message: 'The query string of this call cannot be read: {reason}.',
  },
  231: {
    status: 400,
    owner: 'client',
    title: 'Unknown query parameter',
    message: 'The query parameter "{parameter}" is not known to this call. Known parameters: {known}.',
  },
  232: {
    status: 400,
    owner: 'client',
    title: 'Repeated query parameter',
    message: 'The query parameter "{parameter}" may be given once only.',
  },
  233: { status: 400, owner: 'client', title: 'Limit out of range', message: 'The limit {limit} is outside 1 to 100.' },
  244: {
    status: 400,
    owner: 'client',
    title: 'Limit is not a number',
    message: 'The limit "{limit}" is not a whole number from 1 to 100.',
  },
  250: {
    status: 400,
    owner: 'client',
    title: 'Unusable filter',
    message: 'The filter cannot be used: at character {position}, {reason}.',
  },
  90070: {
    status: 503,
    owner: 'platform',
    title: 'Cannot write',
    message:
      'The server cannot write to its database, and this call changed nothing. Check the free space and the permissions of the data directory (or the database server), then repeat the call.',
  },
  90071: {
    status: 500,
    owner: 'platform',
    title: 'Internal error',
    message:
      "Something went wrong inside the server. Its log has the cause beside this answer's operation_id; please report it.",
  },
  90072: {
    status: 503,
    owner: 'platform',
    title: 'Not ready yet',
    message: 'The server is still starting. Repeat the call in a moment.',
  },
  90073: {
    status: 400,
    owner: 'client',
    title: 'Malformed request',
    message: 'This request cannot be read: {reason}. Check the client, or whatever stands between it and this server.',
  },
  90074: {
    status: 413,
    owner: 'client',
    title: 'Body too large',
    message: 'The body of this call has more than {limit} bytes. Send less; no field of this API needs as much.',
  },
  90075: {
    status: 400,
    owner: 'client',
    title: 'Malformed path',
    message:
      'The path "{path}" cannot be read: a % that no two hexadecimal digits of UTF-8 text follow, or a part that is far too long.',
  },
  90076: {
    status: 400,
    owner: 'client',
    title: 'Field not available yet',
    message: 'The field "{field}" is not available on this server ({reason}). Leave it out.',
  },
  90077: {
    status: 503,
    owner: 'platform',
    title: 'Outcome unknown',
    message:
      'The database went silent during this call, which may have changed something or not. Look before you repeat it; and check the disk of the data directory (or the database server).',
  },
  90095: {
    status: 404,
    owner: 'client',
    title: 'Not Found',
    message:
      'Not Found: this server does not have {method} {path}. The path or the method is none of its API; that something is missing there says nothing about what once was.',
  },
} as const satisfies Record<number, ErrorEntry>;
