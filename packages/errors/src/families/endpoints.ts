import type { ErrorEntry } from '../entry.ts';

/** Endpoints: what may be created and changed (spec: api.md §2, §4). */
export const ENDPOINT_ERRORS = {
  248: {
    status: 400,
    owner: 'client',
    title: 'Only cloud endpoints are made by API',
    message:
      'An endpoint of type "{type}" cannot be created or changed by API: agent endpoints belong to their agent, edge endpoints to their edge. Use type "cloud".',
  },
  249: {
    status: 400,
    owner: 'client',
    title: 'Bad endpoint URL',
    message: 'The field "url" holds "{url}", which is not an endpoint URL: {reason}.',
  },
  9038: {
    status: 400,
    owner: 'client',
    title: 'URL with a path',
    message:
      'The URL "{url}" ends in a slash or has a path. An endpoint URL is scheme, host and port only: leave the rest out.',
  },
  15005: {
    status: 400,
    owner: 'client',
    title: 'Unknown binding',
    message: 'The binding "{binding}" is not known. Use one of public, internal, kubernetes.',
  },
  15006: {
    status: 400,
    owner: 'client',
    title: 'Repeated binding',
    message: 'The binding "{binding}" is given twice.',
  },
  90023: {
    status: 400,
    owner: 'client',
    title: 'Too many bindings',
    message: 'An endpoint takes one binding; {count} were given in "bindings".',
  },
  18001: {
    status: 400,
    owner: 'client',
    title: 'Bad endpoint URL',
    message: 'The field "url" holds "{url}", which cannot be the URL of a cloud endpoint: {reason}.',
  },
  18002: {
    status: 400,
    owner: 'client',
    title: 'Traffic policy does not validate',
    message: 'The traffic policy of the field "traffic_policy" does not validate: {reason}',
  },
  18003: {
    status: 400,
    owner: 'client',
    title: 'Port missing or bad',
    message: 'The URL "{url}" cannot be used: {problem}. A tcp URL is written tcp://host:port.',
  },
  18004: {
    status: 400,
    owner: 'client',
    title: 'Nothing to change',
    message:
      'This update of an endpoint changes nothing: give url, traffic_policy, description, metadata, bindings or pooling_enabled.',
  },
  18005: {
    status: 400,
    owner: 'client',
    title: 'Scheme cannot change',
    message: 'The scheme of an endpoint cannot change from {from} to {to}. Create a new endpoint instead.',
  },
  18006: {
    status: 400,
    owner: 'client',
    title: 'Nothing reserved for this URL',
    message: 'No reserved domain or address covers "{url}". Reserve it first ({how}).',
  },
  18007: {
    status: 400,
    owner: 'client',
    title: 'Binding does not fit the URL',
    message: 'The binding "{binding}" does not fit the URL "{url}": {reason}.',
  },
  18009: {
    status: 400,
    owner: 'client',
    title: 'Endpoint exists',
    message: '"{url}" already has an endpoint ({holder}). Delete it, or use another URL.',
  },
  18011: {
    status: 400,
    owner: 'client',
    title: 'Traffic policy missing',
    message: 'A cloud endpoint needs a traffic policy in "traffic_policy": it has no upstream of its own.',
  },
  18012: {
    status: 400,
    owner: 'client',
    title: 'Description too long',
    message: "The description has {length} bytes; an endpoint's may have 255.",
  },
  18013: {
    status: 400,
    owner: 'client',
    title: 'Metadata too long',
    message: "The metadata has {length} bytes; an endpoint's may have 4096.",
  },
  18014: { status: 400, owner: 'client', title: 'Bad field', message: 'The field "{field}" cannot be used: {reason}.' },
  18015: { status: 400, owner: 'client', title: 'Field missing', message: 'The field "{field}" is needed.' },
  18016: {
    status: 400,
    owner: 'client',
    title: 'Pooling is off on the existing endpoint',
    message:
      '"{url}" is held by {holder}, which does not share it. Set pooling_enabled to true there as well, or use another URL.',
  },
  18017: {
    status: 400,
    owner: 'client',
    title: 'Another endpoint is there, and pooling is off',
    message:
      '"{url}" is held by {holder}, and this endpoint would not share it. Set pooling_enabled to true on both, delete the other one, or use another URL.',
  },
  18018: {
    status: 400,
    owner: 'client',
    title: 'Scheme not allowed for this binding',
    message: 'The scheme {scheme} cannot be used with the binding kubernetes. Use http, tls or tcp.',
  },
  18022: {
    status: 400,
    owner: 'client',
    title: 'Unknown scheme',
    message:
      'The scheme of the URL "{url}" is {scheme}. Use one of http, https, tls, tcp, as in https://app.example.com.',
  },
  18023: {
    status: 400,
    owner: 'client',
    title: 'Port not allowed',
    message:
      'Port {port} is not where this server takes public {scheme} traffic. Leave the port out, or use {allowed}.',
  },
} as const satisfies Record<number, ErrorEntry>;
