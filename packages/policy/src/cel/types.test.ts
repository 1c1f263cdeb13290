/** What can never hold is refused when it is written: as a deny rule it would let everybody through. */
import { describe, expect, it } from 'vitest';
import { compileCondition } from './compile.ts';

const PHASE = { phase: 'on_http_response', usesResult: () => {} } as const;

function refusal(text: string): string {
  try {
    compileCondition(text, PHASE);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'accepted';
}

describe('comparisons that can never hold', () => {
  it.each([
    // Lists of headers, query parameters and cookies against text.
    ["req.headers['authorization'] == ''", '"==" does not apply to list and string'],
    ["'' != req.headers['authorization']", '"!=" does not apply to string and list'],
    ["req.url.query_params['a'] == 'b'", 'list and string'],
    ["req.cookies['a'] == 'b'", 'list and string'],
    ["req.cookies['a'][0] == 'b'", 'map and string'],
    ["getReqCookie('a') == 'b'", 'map and string'],
    ["getReqCookie('a').secure == 'true'", 'bool and string'],
    ["getReqHeader('a') == 'b'", 'list and string'],
    ["res.headers['a'] == 'b'", 'list and string'],
    ["res.cookies['a'][0].max_age == 3600", 'duration and int'],
    ['req.headers == []', 'map and list'],
    // Numbers and text.
    ["conn.client_port == '80'", 'int and string'],
    ['req.method == 1', 'string and int'],
    ["res.status_code == '200'", 'int and string'],
    ["res.status_code > '200'", '">" does not apply to int and string'],
    ["size(req.headers) == '1'", 'int and string'],
    ["hasReqHeader('a') == 'true'", 'bool and string'],
    ['req.method == null', 'string and null'],
    ["time.now < timestamp('2030-01-01T00:00:00Z')", 'string and timestamp'],
    ["base64.decode('YQ==') == 'a'", 'bytes and string'],
    // Membership.
    ['req.method in [1, 2]', '"in" does not apply to string and list'],
    ["res.status_code in ['200']", '"in" does not apply to int and list'],
    ["req.headers['a'] in ['b']", 'list and list'],
    ['1 in req.headers', 'int and map'],
    ["1 in {'a': true}", 'int and map'],
    ["'1' in {1: true}", 'string and map'],
    // Keys and items.
    ['size(req.headers[1]) == 1', '"[]" does not apply to map and int'],
    ["req.headers['a']['b'] == 'c'", '"[]" does not apply to list and string'],
    ["{'a': 1}.a == 'b'", 'int and string'],
    ["{'a': 1, 'b': 'c'}['a'] == 'b'", 'int and string'],
    ["[1, 2] == ['1', '2']", 'list and list'],
    ["url.parse('http://a').port == '80'", 'int and string'],
    ["queryString.decode(req.url.query)['a'] == 1", 'string or list and int'],
    // Through macros, bindings and conditions.
    ["req.headers['a'].exists(v, v == 1)", 'string and int'],
    ['req.headers.exists(k, k == 1)', 'string and int'],
    ["req.headers['a'].map(v, size(v)).exists(n, n == '1')", 'int and string'],
    ["req.headers['a'].filter(v, v != '')[0] == 1", 'string and int'],
    ["lists.range(3).exists(n, n == '1')", 'int and string'],
    ["cel.bind(h, req.headers['a'], h == 'b')", 'list and string'],
    ["(req.method == 'GET' ? 'a' : 1) == true", 'string or int and bool'],
    ["(req.method == 'GET' ? req.headers['a'] : req.headers['b']) == 'c'", 'list and string'],
    ["req.host.split('.') == 'a'", 'list and string'],
    // Conditions that are not true or false.
    ['req.method', 'it gives string'],
    ["req.method == 'GET' ? true : 'no'", 'it gives bool or string'],
  ])('%s', (text, words) => {
    expect(refusal(text)).toContain(words);
  });

  it.each([
    ["req.headers['a'].b == 'c'", 'a value of type list has no field b'],
    ["req.headers.authorization.value == 'c'", 'a value of type list has no field value'],
    ["req.cookies['a'].value == 'b'", 'a value of type list has no field value'],
    ["req.cookies['a'][0].valu == 'b'", 'no field valu here (did you mean value?)'],
    ["getReqCookie('a')['path '] == 'b'", 'no field path  here (did you mean path?)'],
    ["req.cookies['a'].exists(c, c.nam == 'b')", 'no field nam here (did you mean name?)'],
    ["url.parse(req.url).hots == 'b'", 'no field hots here (did you mean host?)'],
    ["req.method.lower().size == 'b'", 'a value of type string has no field size'],
  ])('%s asks for what is never there', (text, words) => {
    expect(refusal(text)).toContain(words);
  });

  it('are named with their place', () => {
    expect(refusal("req.method == 'GET' && conn.client_port == '80'")).toBe(
      '"==" does not apply to int and string (at character 41)',
    );
    expect(refusal("req.headers['a'] == 'b'")).toContain('a list has items, as in x[0]');
  });

  it.each([
    "req.headers['authorization'][0] == ''",
    'conn.client_port == 80',
    'conn.client_port == 80.0',
    "req.url.query_params['a'][0] == 'b'",
    "req.headers['a'] == ['b']",
    "req.headers['a'] == []",
    "req.method in ['GET', 'POST']",
    "req.method in ['GET', 1]",
    "vars.a == 1 || vars.a == 'b'",
    "'b' in req.headers['a']",
    "'a' in req.headers",
    "req.cookies['a'][0].value == 'b'",
    "getReqCookie('a')[req.method] == 'b'",
    "getReqCookie('a').unparsed_attributes['b'] == 'c'",
    "has(getReqCookie('a').nope)",
    "{'a': 1}.b == 1 || true",
    "url.parse(req.url).query_params.a[0] == 'b'",
    "queryString.decode(req.url.query).a == 'b'",
    "(req.method == 'GET' ? 'a' : 1) == 1",
    "queryString.decode(req.url.query)['a'] == 'b'",
    "json.decode('{}').a == 1",
    "res.StatusCode == '200'",
    'type(req.method) == string',
    "req.headers['a'].exists(v, v == '1')",
    "[[1], ['a']].exists(l, l == ['a'])",
    "res.cookies['a'][0].expires > timestamp(time.now)",
    'actions.ngrok.basic_auth.credentials.authorized == true || 1 == 1',
  ])('%s can', (text) => {
    expect(refusal(text)).toBe('accepted');
  });
});
