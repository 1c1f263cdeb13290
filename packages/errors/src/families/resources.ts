import type { ErrorEntry } from '../entry.ts';

/** Domains, addresses, credentials, sessions and edges: what may be created and changed (spec: api.md §2, §6). */
export const RESOURCE_ERRORS = {
  402: {
    status: 400,
    owner: 'client',
    title: 'Misplaced wildcard',
    message: 'In "{domain}" a * may only stand alone as the first label, as in *.example.com.',
  },
  403: {
    status: 400,
    owner: 'client',
    title: 'Wildcard label with more',
    message:
      'The first label of "{domain}" has a * and more. A wildcard name begins with the label *, as in *.example.com.',
  },
  406: {
    status: 400,
    owner: 'client',
    title: 'Bad character in domain',
    message:
      'The domain "{domain}" has the character "{character}". Letters, digits, hyphens, dots and a leading *. are allowed.',
  },
  407: {
    status: 400,
    owner: 'client',
    title: 'Bad first character',
    message: 'The label "{label}" of the domain "{domain}" begins with a hyphen. Begin it with a letter or digit.',
  },
  408: {
    status: 400,
    owner: 'client',
    title: 'Bad last character',
    message: 'The label "{label}" of the domain "{domain}" ends with a hyphen. End it with a letter or digit.',
  },
  409: {
    status: 400,
    owner: 'client',
    title: 'Empty label',
    message: 'The domain "{domain}" has an empty label: two dots in a row, or a dot at an end. Remove the extra dot.',
  },
  410: {
    status: 400,
    owner: 'client',
    title: 'Hyphens in places 3 and 4',
    message:
      'The label "{label}" of the domain "{domain}" has hyphens in places 3 and 4, which only punycode (xn--) may have.',
  },
  411: {
    status: 400,
    owner: 'client',
    title: 'Name is not public',
    message:
      'The domain "{domain}" ends in .{suffix}, which no visitor can reach. Such endpoints need no reservation: create them with the binding internal.',
  },
  413: {
    status: 400,
    owner: 'client',
    title: 'Domain already reserved',
    message: 'The domain "{domain}" is already reserved by this account.',
  },
  414: {
    status: 400,
    owner: 'client',
    title: 'Domain taken',
    message: 'The domain "{domain}" is reserved by another account.',
  },
  420: {
    status: 400,
    owner: 'client',
    title: 'Description too long',
    message: "The description has {length} bytes; a domain's may have 255.",
  },
  421: {
    status: 400,
    owner: 'client',
    title: 'Metadata too long',
    message: "The metadata has {length} bytes; a domain's may have 4096.",
  },
  422: {
    status: 400,
    owner: 'client',
    title: 'Nothing to change',
    message: 'This update of a domain changes nothing: give description, metadata or another field.',
  },
  429: {
    status: 400,
    owner: 'client',
    title: 'Bad punycode',
    message: 'The domain "{domain}" has a label that begins with xn-- and is not valid punycode. Check its spelling.',
  },
  446: {
    status: 400,
    owner: 'client',
    title: 'Domain in use',
    message: 'The domain "{domain}" is used by {users}. Delete or move these first.',
  },
  417: {
    status: 400,
    owner: 'client',
    title: 'Wildcard covers a taken name',
    message:
      'The wildcard "{domain}" would cover a name that another account has reserved. Reserve single names instead.',
  },
  438: {
    status: 400,
    owner: 'client',
    title: 'Underscore in domain',
    message: 'The domain "{domain}" has an underscore, which host names may not have. Use a hyphen.',
  },
  448: {
    status: 400,
    owner: 'client',
    title: 'Not a full domain name',
    message: '"{domain}" is not a full domain name. Give a name such as app.example.com, or one under {base_domains}.',
  },
  449: {
    status: 400,
    owner: 'client',
    title: 'Two names for one domain',
    message: 'Give the domain in "domain" or in the older "name", not in both.',
  },
  513: {
    status: 400,
    owner: 'client',
    title: 'Label too long',
    message: 'The label "{label}" of the domain "{domain}" has more than 63 characters. Shorten it.',
  },
  514: {
    status: 400,
    owner: 'client',
    title: 'Domain name too long',
    message: 'The domain "{domain}" has more than 253 characters.',
  },
  500: {
    status: 400,
    owner: 'client',
    title: 'Unknown region',
    message:
      '"{region}" is not the name of a region (letters, digits and hyphens). Leave it out: there is one place here.',
  },
  503: {
    status: 400,
    owner: 'capacity',
    title: 'No address left',
    message:
      'Every TCP port of the range {range} is taken. Delete a reserved address, or give the server a wider --tcp-listen range.',
  },
  504: {
    status: 400,
    owner: 'client',
    title: 'Description too long',
    message: "The description has {length} bytes; an address's may have 255.",
  },
  505: {
    status: 400,
    owner: 'client',
    title: 'Metadata too long',
    message: "The metadata has {length} bytes; an address's may have 4096.",
  },
  506: {
    status: 400,
    owner: 'client',
    title: 'Nothing to change',
    message: 'This update of an address changes nothing: give description or metadata.',
  },
  90026: {
    status: 400,
    owner: 'client',
    title: 'Address in use',
    message: 'The address "{addr}" is used by {users}. Delete or move these first.',
  },
  600: {
    status: 400,
    owner: 'client',
    title: 'Bad ACL rule',
    message:
      'The rule "{rule}" in "acl" is not understood. Rules look like *, bind:app.example.com, bind:*.example.com, bind:host:port or bind:label=value.',
  },
  601: {
    status: 400,
    owner: 'client',
    title: 'First credential stays',
    message:
      'The credential {id} is the one this server gives to its own demo and cannot be deleted. Make new ones with "postern server --reset-credentials".',
  },
  604: {
    status: 400,
    owner: 'client',
    title: 'Description too long',
    message: "The description has {length} bytes; a credential's may have 255.",
  },
  605: {
    status: 400,
    owner: 'client',
    title: 'Metadata too long',
    message: "The metadata has {length} bytes; a credential's may have 4096.",
  },
  606: {
    status: 400,
    owner: 'client',
    title: 'Nothing to change',
    message: 'This update of a credential changes nothing: give acl, description or metadata.',
  },
  804: {
    status: 400,
    owner: 'client',
    title: 'Agent cannot be restarted remotely',
    message: 'The agent of session {id} does not take a remote restart: {reason}. Restart it where it runs.',
  },
  805: {
    status: 400,
    owner: 'client',
    title: 'Agent cannot be stopped remotely',
    message: 'The agent of session {id} does not take a remote stop: {reason}. Stop it where it runs.',
  },
  806: {
    status: 400,
    owner: 'client',
    title: 'Agent cannot be updated remotely',
    message: 'The agent of session {id} does not take a remote update: {reason}.',
  },
  807: {
    status: 400,
    owner: 'upstream',
    title: 'Agent did not stop',
    message: 'The agent of session {id} could not stop: {reason}. Stop it where it runs.',
  },
  808: {
    status: 400,
    owner: 'upstream',
    title: 'Agent did not restart',
    message: 'The agent of session {id} could not restart: {reason}. Restart it where it runs.',
  },
  809: {
    status: 400,
    owner: 'upstream',
    title: 'Agent did not update',
    message: 'The agent of session {id} could not update: {reason}. Update it where it runs.',
  },
  810: {
    status: 503,
    owner: 'upstream',
    title: 'Agent did not answer',
    message:
      'The agent of session {id} gave no answer, after {seconds} seconds. It may be stalled; its session ends by itself if it stays silent.',
  },
  90020: {
    status: 400,
    owner: 'client',
    title: 'Hostport in use',
    message: 'The hostport "{hostport}" already belongs to {holder}.',
  },
  90021: {
    status: 400,
    owner: 'client',
    title: 'Edge module not available',
    message:
      'The edge module "{module}" is not available yet. Put the same behaviour into the traffic_policy of a cloud endpoint instead.',
  },
  90022: {
    status: 400,
    owner: 'client',
    title: 'Bad edge',
    message: 'The field "{field}" of this edge cannot be used: {reason}.',
  },
  636: {
    status: 403,
    owner: 'client',
    title: 'Owner is inactive',
    message:
      'The owner {owner} of this credential is set inactive. Set the bot user active again, or use a credential of another owner.',
  },
  7117: {
    status: 400,
    owner: 'client',
    title: 'Hostport not reserved',
    message: 'No reserved domain or address covers the hostport "{hostport}". Reserve it first ({how}).',
  },
  90027: {
    status: 400,
    owner: 'config',
    title: 'TCP port cannot be opened',
    message: 'The server could not open {url}: {reason}. Use another port, or free this one.',
  },
  90028: {
    status: 400,
    owner: 'client',
    title: 'Backend in use',
    message: 'The backend {id} is used by {users}. Remove it there first.',
  },
  90029: {
    status: 400,
    owner: 'client',
    title: 'Name of the server itself',
    message: '"{domain}" is a name under which agents and tools reach this server. Use another name.',
  },
} as const satisfies Record<number, ErrorEntry>;
