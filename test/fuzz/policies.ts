/** Policy documents: compiled, or refused with an error of the table that names what is wrong. */
import { compilePolicy, type CompileOptions } from '@postern/policy';
import { isPosternError } from '@postern/errors';
import { materialOf, mutatedOf } from './mutate.ts';
import { type FuzzTarget, fuzzTarget, must } from './target.ts';

/** Longer than any message that quotes what is wrong needs to be. */
const LONGEST_MESSAGE = 20_000;

const DOCUMENTS = materialOf(
  [
    '{"on_http_request":[{"expressions":["req.method == \'GET\'"],"actions":[{"type":"deny","config":{"status_code":404}}]}]}',
    `on_http_request:
  - name: first
    expressions:
      - "req.headers['x-a'].exists(v, v.startsWith('b')) && size(req.url.path) > 3"
    actions:
      - type: add-headers
        config:
          headers:
            x-b: "\${req.host + '-' + string(conn.client_port)}"
      - type: custom-response
        config: { status_code: 200, body: "hello \${req.method}", headers: { content-type: text/plain } }
on_http_response:
  - actions:
      - type: remove-headers
        config: { headers: [ server ] }
`,
    `on_tcp_connect:
  - expressions: ["conn.client_ip.startsWith('10.')"]
    actions: [{ type: restrict-ips, config: { enforce: true, allow: [ "10.0.0.0/8", "::1/128" ], deny: [] } }]
`,
    '{"inbound":[{"actions":[{"type":"forward-internal","config":{"url":"https://a.internal","on_error":"continue"}}]}]}',
    'on_http_request: [{actions: [{type: set-vars, config: {vars: [{a: "${1 + 2}"}]}}]}]',
    'a: &x [1, 2]\nb: *x\n',
    '',
  ],
  [
    'on_http_request',
    'on_http_response',
    'on_tcp_connect',
    'expressions',
    'actions',
    'type',
    'config',
    '${',
    '}',
    '[',
    ']',
    '{',
    '- ',
    ': ',
    '\n  ',
    '&a ',
    '*a',
    '!!binary ',
    '"',
    "'",
    'req.headers',
    'true',
    'null',
    '1e400',
    '.nan',
    '((((((((((((((((((((',
    '!!!!!!!!!!!!!!!!!!!!',
    'x.map(y, y.map(z, z))',
    '\\u0000',
    '\xff',
    '<<: *a',
    'deny',
    'redirect',
    'url-rewrite',
    'rate-limit',
    'jwt-validation',
  ],
);

interface Case {
  readonly source: string;
  readonly options: CompileOptions;
}

export const policyTarget: FuzzTarget = fuzzTarget<Case>(
  'policy',
  (dice) => ({
    source: mutatedOf(DOCUMENTS, dice).toString('utf8'),
    options: {
      protocol: dice.pick<CompileOptions['protocol']>(['http', 'https', 'tcp', 'tls']),
      binding: dice.pick<CompileOptions['binding']>(['public', 'internal', 'kubernetes']),
      kind: dice.pick<CompileOptions['kind']>(['cloud', 'agent', 'edge']),
    },
  }),
  ({ source, options }) => {
    try {
      compilePolicy(source, options);
    } catch (error) {
      if (!isPosternError(error)) throw error;
      must(error.message.length < LONGEST_MESSAGE, `an error message of ${error.message.length} characters`);
    }
  },
  ({ source, options }) => JSON.stringify({ source, ...options }).slice(0, 3_000),
);
