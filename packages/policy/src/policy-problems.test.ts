import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { policyProblems, sourcePlaces } from './index.ts';
import { AGENT, CLOUD } from './testing/run.ts';

/** `line:column number path` of everything that is wrong. */
function found(source: string, options = AGENT): string[] {
  const place = sourcePlaces(source);
  return policyProblems(source, options).map(({ number, params }) => {
    const path = String(params['path'] ?? '');
    const { line, column } = place(path);
    return `${line}:${column} ${number} ${path}`.trim();
  });
}

const YAML = `# rules
on_http_request:
  - name: first
    expressions:
      - req.metod == 'GET'
      - "true"
      - 'size(req.nothing)'
    actions:
      - type: denny
      - type: redirect
        config: { to: /x, status_code: 700, tos: 1 }
      - type: add-headers
        config:
          headers:
            x.y: \${foo}
      - type: deny
      - type: deny
  - actions: []
    nam: x
on_http_requests: []
on_tcp_connect: 5
`;

it('finds all of them at once, each with its place', () => {
  expect(found(YAML).toSorted()).toEqual(
    [
      '5:9 2200 on_http_request[0].expressions[0]',
      '7:9 2200 on_http_request[0].expressions[2]',
      '9:9 2201 on_http_request[0].actions[0]',
      '11:40 2215 on_http_request[0].actions[1].config.status_code',
      '11:50 2203 on_http_request[0].actions[1].config.tos',
      '15:18 2224 on_http_request[0].actions[2].config.headers.x.y',
      '17:9 2207 on_http_request[0].actions[4]',
      '18:5 2206 on_http_request[1]',
      '19:10 2203 on_http_request[1].nam',
      '20:1 2203 on_http_requests',
      '21:17 2203 on_tcp_connect',
    ].toSorted(),
  );
});

it('finds them in JSON, in old spellings, and where nothing can be read', () => {
  expect(found('{\n  "inbound": [\n    {"actions": [{"type": "deny", "config": {"status_code": 1}}]}\n  ]\n}')).toEqual(
    ['3:61 2215 inbound[0].actions[0].config.status_code'],
  );
  expect(found('a: [\n  b')).toEqual([expect.stringMatching(/^2:\d+ 2236$/)]);
  expect(found('[')).toEqual([expect.stringMatching(/^1:\d+ 2236$/)]);
  expect(found('['.repeat(5_000))).toEqual(['1:1 2236']);
  expect(found(' '.repeat(70_000))).toEqual(['1:1 90031']);
});

it('is silent about what is right', () => {
  expect(found('')).toEqual([]);
  expect(found('on_http_request: [{actions: [{type: deny}]}]', CLOUD)).toEqual([]);
  expect(found('on_http_request: [{actions: [{type: set-vars, config: {vars: [{a: 1}]}}]}]', CLOUD)).toEqual([
    '1:1 2235 on_http_request',
  ]);
  // What has another mistake may well be the end of all paths.
  expect(found('on_http_request: [{actions: [{type: deny, config: {status: 1}}]}]', CLOUD)).toEqual([
    expect.stringMatching(/ 2203 /),
  ]);
});

it('has a place for every problem of any text', () => {
  const piece = fc.constantFrom(...YAML.split(/(?<=[\s:])/), '&a ', '*a ', '? ', '| ', '"', '{', ']', '\t', '- ');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const source = pieces.join('');
      const place = sourcePlaces(source);
      for (const { params } of policyProblems(source, AGENT)) {
        const { line, column } = place(String(params['path'] ?? ''));
        expect([line >= 1, line <= source.split('\n').length, column >= 1]).toEqual([true, true, true]);
      }
    }),
    { numRuns: 500 },
  );
});
