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
    message: 'The address "{addr}" is not reserved by this account. Reserve it, or leave the address out to get one.',
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
    message: 'The name "{domain}" has a character that names may not have. Letters, digits and hyphens are allowed.',
  },
  327: { status: 400, owner: 'client', title: 'Bad domain', message: '"{domain}" is not a domain name: {reason}.' },
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
  358: {
    status: 400,
    owner: 'client',
    title: 'Bad labels',
    message: 'The labels of this listener cannot be used: {reason}.',
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
  9029: {
    status: 400,
    owner: 'client',
    title: 'Internal URL must end in .internal',
    message: '"{url}" has the binding internal; its host must end in .internal.',
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
    message: '"{url}" has the binding kubernetes; its host must be name.namespace.',
  },
  90024: {
    status: 400,
    owner: 'client',
    title: 'Option not available',
    message:
      'The agent option "{option}" needs the traffic-policy action {action}, which is not available yet. Leave it out; it is never silently ignored.',
  },
} as const satisfies Record<number, ErrorEntry>;
