import type { ErrorEntry } from '../entry.ts';

/** What an agent is told over RPC: session, bind, unbind (spec: agent-protocol.md §4, §11). */
export const AGENT_ERRORS = {
  100: {
    status: 400,
    owner: 'client',
    title: 'Metadata too long',
    message: 'The metadata has {length} bytes; 4096 are allowed.',
  },
  105: {
    status: 400,
    owner: 'client',
    title: 'Not an authtoken',
    message:
      "The authtoken does not have the shape of one. Copy it whole; the first one is in the file authtoken of the server's data directory.",
  },
  107: {
    status: 403,
    owner: 'client',
    title: 'Unknown authtoken',
    message: 'The authtoken is not known here, or it was reset. Take one from this server, not from another service.',
  },
  108: {
    status: 429,
    owner: 'capacity',
    title: 'Too many agent sessions',
    message: 'This account already has {limit} agent sessions. End one, or raise the limit.',
  },
  109: {
    status: 400,
    owner: 'client',
    title: 'Unreadable message',
    message: 'The agent sent a message that cannot be read: {reason}.',
  },
  120: {
    status: 400,
    owner: 'client',
    title: 'Agent protocol too old',
    message: 'The agent speaks protocol {versions}; this server speaks 2 and 3. Update the agent.',
  },
  300: {
    status: 403,
    owner: 'client',
    title: 'Authtoken revoked',
    message: 'The authtoken of this session was deleted. Start the agent with another one.',
  },
  301: {
    status: 400,
    owner: 'client',
    title: 'Unreadable bind',
    message: "The agent's bind cannot be read: {reason}.",
  },
  307: {
    status: 400,
    owner: 'client',
    title: 'Address not reserved',
    message:
      'The address "{addr}" is not reserved by this account ({how}). Reserve it, or leave the address out to get one.',
  },
  308: {
    status: 403,
    owner: 'client',
    title: 'Address not allowed by ACL',
    message: "The authtoken's ACL does not allow the address {addr}. Its rules: {acl}.",
  },
  316: {
    status: 403,
    owner: 'client',
    title: 'Not allowed by ACL',
    message: "The authtoken's ACL does not allow {what}. Its rules: {acl}.",
  },
  318: {
    status: 400,
    owner: 'client',
    title: 'Wildcard not reserved',
    message: 'The wildcard domain "{domain}" is not reserved. Reserve it first.',
  },
  319: {
    status: 400,
    owner: 'client',
    title: 'Domain not reserved',
    message: 'The domain "{domain}" is not reserved. Reserve it first, or run the server with --auto-reserve any.',
  },
  320: {
    status: 400,
    owner: 'client',
    title: 'Domain taken',
    message: 'The domain "{domain}" is reserved by another account.',
  },
  321: {
    status: 400,
    owner: 'client',
    title: 'Wildcard not reserved exactly',
    message:
      'The wildcard "{domain}" lies under {match}, but wildcards must be reserved exactly. Reserve "{domain}" itself.',
  },
  324: {
    status: 400,
    owner: 'capacity',
    title: 'Too many endpoints',
    message: 'This session already has {limit} endpoints. Close one first.',
  },
  326: {
    status: 400,
    owner: 'client',
    title: 'Bad character in name',
    message:
      'The name "{domain}" has the character "{character}". Letters, digits, hyphens, dots and a leading *. are allowed.',
  },
  327: {
    status: 400,
    owner: 'client',
    title: 'Empty label in name',
    message: 'The name "{domain}" has an empty label: two dots in a row, or a dot at an end. Remove the extra dot.',
  },
  328: {
    status: 400,
    owner: 'client',
    title: 'Bad first character in name',
    message: 'The label "{label}" of the name "{domain}" begins with a hyphen. Begin it with a letter or digit.',
  },
  329: {
    status: 400,
    owner: 'client',
    title: 'Bad last character in name',
    message: 'The label "{label}" of the name "{domain}" ends with a hyphen. End it with a letter or digit.',
  },
  330: {
    status: 400,
    owner: 'client',
    title: 'Hyphens in places 3 and 4',
    message:
      'The label "{label}" of the name "{domain}" has hyphens in places 3 and 4, which only punycode (xn--) may have.',
  },
  331: {
    status: 400,
    owner: 'client',
    title: 'Name is not public',
    message: '"{domain}" ends in .{suffix}, which no visitor can reach. Give it the binding internal.',
  },
  332: {
    status: 400,
    owner: 'client',
    title: 'Unknown protocol',
    message: 'The protocol "{proto}" is not one of http, https, tcp, tls.',
  },
  334: {
    status: 400,
    owner: 'client',
    title: 'Endpoint already online',
    message:
      '"{url}" is already online ({holder}). Stop that one, use another URL, or set pooling on both to share it.',
  },
  335: {
    status: 400,
    owner: 'client',
    title: 'Resume token not ours',
    message:
      'The resume token of this endpoint was not made by this server, or not for this account. Close the listener and open it again.',
  },
  341: {
    status: 400,
    owner: 'client',
    title: 'Unknown IP policy of a bind',
    message: 'The IP policy "{id}" of this bind does not exist. Give the id of one of this account, as in ipp_….',
  },
  347: {
    status: 400,
    owner: 'client',
    title: 'Bad punycode in name',
    message: 'The name "{domain}" has a label that begins with xn-- and is not valid punycode. Check its spelling.',
  },
  356: {
    status: 403,
    owner: 'client',
    title: 'Random TCP address not allowed by ACL',
    message:
      "The authtoken's ACL does not allow a random TCP address. Its rules: {acl}. Ask for an address that they allow.",
  },
  358: {
    status: 400,
    owner: 'client',
    title: 'Bad labels',
    message: 'The labels of this listener cannot be used: {reason}.',
  },
  359: {
    status: 400,
    owner: 'client',
    title: 'Basic auth without a user name',
    message: 'A basic-auth credential of this bind has no user name. Write it as user:password.',
  },
  360: {
    status: 400,
    owner: 'client',
    title: 'Basic auth password too short or long',
    message: 'A basic-auth password of this bind has {length} characters; 8 to 128 are allowed.',
  },
  399: {
    status: 403,
    owner: 'client',
    title: 'Label not allowed by ACL',
    message: "The authtoken's ACL does not allow the label {label}. Its rules: {acl}.",
  },
  4018: {
    status: 403,
    owner: 'client',
    title: 'No authtoken',
    message:
      "The agent gave no authtoken. The first one is in the file authtoken of the server's data directory; pass it with --authtoken or NGROK_AUTHTOKEN.",
  },
  6030: {
    status: 400,
    owner: 'client',
    title: 'Pooling does not match',
    message: '"{url}" is held by {holder}; its pooling is {existing} and yours is {wanted}. Set pooling alike on both.',
  },
  9021: {
    status: 400,
    owner: 'client',
    title: 'Several names given',
    message: 'The bind names its address more than once: {names}. Give one.',
  },
  9025: {
    status: 400,
    owner: 'client',
    title: 'Several policies given',
    message: 'The bind carries a policy in more than one field: {fields}. Give one.',
  },
  9026: {
    status: 400,
    owner: 'client',
    title: 'Traffic policy does not validate',
    message: 'The traffic policy does not validate: {reason}',
  },
  9028: {
    status: 400,
    owner: 'client',
    title: 'Internal endpoint without a name',
    message: 'An endpoint with the binding internal needs a name that ends in .internal. Give one.',
  },
  9029: {
    status: 400,
    owner: 'client',
    title: 'Internal URL must end in .internal',
    message: '"{url}" has the binding internal; its host must end in .internal.',
  },
  9030: {
    status: 400,
    owner: 'client',
    title: 'Bad port',
    message: 'The URL "{url}" has the port "{port}"; a port is a number from 1 to 65535.',
  },
  9031: {
    status: 400,
    owner: 'client',
    title: 'Internal name too deep',
    message: 'At most 5 labels may stand before .internal; "{url}" has {depth}.',
  },
  9032: {
    status: 400,
    owner: 'client',
    title: 'Name cannot be read',
    message: 'The name "{domain}" cannot be used: {reason}.',
  },
  9034: {
    status: 400,
    owner: 'client',
    title: 'Malformed URL',
    message: 'The URL "{url}" cannot be read: {reason}. Write scheme://host or scheme://host:port.',
  },
  9035: {
    status: 400,
    owner: 'client',
    title: 'Port not allowed',
    message:
      'Port {port} is not where this server takes public {scheme} traffic. Leave the port out, or use {allowed}.',
  },
  9036: {
    status: 400,
    owner: 'client',
    title: 'Scheme not allowed',
    message: 'The scheme "{scheme}" does not fit this bind; allowed here: {allowed}.',
  },
  9037: {
    status: 400,
    owner: 'client',
    title: 'Bad endpoint URL',
    message: '"{url}" is not an endpoint URL: {reason}.',
  },
  9039: {
    status: 400,
    owner: 'client',
    title: 'Bad kubernetes URL',
    message: '"{url}" has the binding kubernetes; its host must be name.namespace, without a wildcard.',
  },
  9041: {
    status: 400,
    owner: 'client',
    title: 'Scheme not allowed for kubernetes',
    message: 'The scheme {proto} cannot be used with the binding kubernetes. Use http, tls or tcp.',
  },
  15003: {
    status: 400,
    owner: 'client',
    title: 'Unknown upstream protocol',
    message: 'The upstream protocol "{protocol}" is not one of http1, http2.',
  },
  90050: {
    status: 403,
    owner: 'client',
    title: 'An API key is not an authtoken',
    message:
      'The token is an API key. Agents take an authtoken; the first one is in the file authtoken of the data directory.',
  },
  90051: {
    status: 400,
    owner: 'client',
    title: 'Field too long',
    message: 'The {field} of this endpoint has {length} bytes; {limit} are allowed.',
  },
  90053: {
    status: 429,
    owner: 'client',
    title: 'Too many calls of an agent',
    message:
      'This agent, or the others of its account, ask for more than 50 binds or changes a second, or 500 calls. Ask again in ten seconds.',
  },
  90052: {
    status: 400,
    owner: 'platform',
    title: 'Session is over',
    message: 'The agent session {id} is no longer registered here. The agent connects again by itself.',
  },
} as const satisfies Record<number, ErrorEntry>;
