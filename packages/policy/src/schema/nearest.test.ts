import { expect, it } from 'vitest';
import { refusal } from '../testing/run.ts';
import { meant, nearest } from './nearest.ts';

it.each([
  ['starts_with', 'startsWith'],
  ['STATUS-CODE', 'status_code'],
  ['methd', 'method'],
  ['mehtod', 'method'],
  ['methood', 'method'],
  ['path', undefined],
  ['x', undefined],
  ['m'.repeat(10_000), undefined],
])('of %.20s, %s', (name, expected) => {
  expect(nearest(name, ['startsWith', 'status_code', 'method', 'm'.repeat(9_999)])[0]).toBe(expected);
});

it('is a clause, or nothing', () => {
  expect(meant('endWith', ['endsWith'], '()')).toBe(' (did you mean endsWith()?)');
  expect(meant('other', ['endsWith'])).toBe('');
});

const deny = { type: 'deny' };
const expression = (text: string): object => ({ on_http_request: [{ expressions: [text], actions: [deny] }] });

it.each([
  [
    expression("req.url.path.starts_with('/')"),
    'there is no function starts_with() (did you mean startsWith()?) (at character 13)',
  ],
  [expression("req.headrs['a'] == 'b'"), 'there is no variable req.headrs (did you mean req.headers?)'],
  [expression("request_.method == 'b'"), 'there is no variable "request_"'],
  [expression("method == 'b'"), 'there is no variable "method"'],
  [expression("conn.clientip == 'b'"), '(did you mean conn.client_ip?)'],
  // What is no variable of the phase is not meant.
  [expression('res.status_cod == 1'), 'there is no variable res.status_cod (at'],
  [expression("inCidrRange('a')"), 'inCidrRange() does not take 1 arguments, but 2'],
  [expression("req.method.inCidrRange('a')"), 'there is no function inCidrRange(); write inCidrRange(…)'],
  [expression("startsWith(req.method, 'a')"), 'it belongs to a value, as in x.startsWith(…)'],
  [expression("req.content_length.startsWith('a')"), 'does not apply to (int, string), but to (string, string)'],
  [expression('actions.ngrok.jwt_validaton.x == 1'), '(did you mean jwt_validation?)'],
  [{ on_http_requests: [] }, 'there is no such phase (did you mean on_http_request?)'],
  [{ on_http_request: [{ expression: [], actions: [deny] }] }, '(did you mean expressions?)'],
  [{ on_http_request: [{ actions: [{ type: 'denny' }] }] }, 'Known actions: deny, add-headers'],
  [{ on_http_request: [{ actions: [{ ...deny, configs: {} }] }] }, '(did you mean config?)'],
  [{ on_http_request: [{ actions: [{ ...deny, config: { statusCode: 1 } }] }] }, '(did you mean status_code?)'],
  [
    { on_http_request: [{ actions: [{ ...deny, config: { x: 1 } }] }] },
    'there is no such field. The fields are status_code',
  ],
  [
    {
      on_http_request: [
        {
          actions: [
            {
              type: 'http-request',
              config: { url: 'https://a.internal', query_params: [{ key: 'a', value: 'b', valu: '' }] },
            },
          ],
        },
      ],
    },
    'query_params[0].valu: there is no such field (did you mean value?)',
  ],
])('says what was meant: %j', (policy, expected) => {
  expect(refusal(policy)).toContain(expected);
});
