import { describe, expect, it } from 'vitest';
import { selfSigned } from '../../testing/certificate.ts';
import { CLIENT_CERTIFICATE, makeContext, type Facts } from '../../testing/context.ts';
import { textOf } from '../../interpolation/template.ts';
import { compileExpression } from '../compile.ts';
import { BUDGET } from '../work.ts';
import { Failure } from '../value.ts';
import { removeDotSegments, RequestParts } from './request-parts.ts';

/** The value of an expression as text. */
function show(expression: string, facts: Facts = {}): string {
  const scope = {
    context: makeContext({ status: 200, ...facts }),
    vars: new Map(),
    locals: [],
    budget: BUDGET,
    parts: new RequestParts(),
  };
  const value = compileExpression(expression, { phase: 'on_http_response', usesResult: () => {} }).eval(scope);
  if (value instanceof Failure) return `failed: ${value.message}`;
  const text = textOf(value, scope);
  return text instanceof Failure ? `failed: ${text.message}` : text;
}

describe('the url of a request', () => {
  const facts: Facts = {
    authority: 'User:pw@API.Example.com:8443',
    target: '/a%2Fb/../%61dmin/?x=1&x=%20two&y=a+b&z',
    scheme: 'https',
  };

  it.each([
    ['req.url.path', '/a/admin/'],
    ['req.url.raw_path', '/a%2Fb/../%61dmin/'],
    ['req.url.query', 'x=1&x=%20two&y=a+b&z'],
    ['req.url.host', 'api.example.com'],
    ['req.host', 'api.example.com'],
    ['req.url.port', '8443'],
    ['req.url.authority', 'User:pw@API.Example.com:8443'],
    ['req.url.user_password', 'User:pw'],
    ['req.url.scheme', 'https'],
    ['req.url.raw', 'https://User:pw@API.Example.com:8443/a%2Fb/../%61dmin/?x=1&x=%20two&y=a+b&z'],
    ['req.url', 'https://User:pw@api.example.com:8443/a/admin/?x=1&x=%20two&y=a+b&z'],
    ['req.url.query_params', '{"x":["1"," two"],"y":["a b"],"z":[""]}'],
    ['req.url.query_params["x"]', '["1"," two"]'],
    ['req.path', '/a/admin/'],
    ['getQueryParam("none")', '[]'],
  ])('%s', (expression, text) => {
    expect(show(expression, facts)).toBe(text);
  });

  it('leaves out default ports, and keeps broken escapes', () => {
    expect(show('req.url', { authority: 'h:443', target: '/' })).toBe('https://h/');
    expect(show('req.url.port', { authority: '[::1]', target: '/' })).toBe('443');
    expect(show('req.url.host', { authority: '[::1]:99', target: '/' })).toBe('[::1]');
    expect(show('req.url.path', { target: '/%zz/%41/%ff' })).toBe('/%zz/A/%ff');
  });

  it('resolves dot segments, so that no rule is passed by on a detour', () => {
    expect(removeDotSegments('/a/./b/../c')).toBe('/a/c');
    expect(removeDotSegments('/../../admin')).toBe('/admin');
    expect(removeDotSegments('/a/..')).toBe('/');
    expect(removeDotSegments('/.well-known/x')).toBe('/.well-known/x');
    expect(show('req.url.path.startsWith("/admin")', { target: '/public/%2e%2e/admin' })).toBe('true');
  });
});

describe('headers', () => {
  const facts: Facts = {
    headers: [
      ['X-A', '1'],
      ['x-a', '2'],
      ['Content-Type', 'Text/HTML; Charset="utf-8"'],
      ['Content-Encoding', 'gzip, BR'],
      ['Cookie', 'a=1; b="two"; a=3; broken'],
    ],
    responseHeaders: [
      ['Set-Cookie', 'sid=1; path=/; Max-Age=60; SameSite=Lax; Partitioned'],
      ['Set-Cookie', 'sid=2; Path=/longer; HttpOnly; Secure'],
    ],
  };

  it.each([
    ['req.headers["X-A"]', '["1","2"]'],
    ['req.headers["x-a"][1]', '2'],
    ['req.headers.size()', '4'],
    ['request.headers["x-a"][0]', '1'],
    ['has(req.headers["X-a"])', 'true'],
    ['has(req.headers["none"])', 'false'],
    ['req.content_type', 'text/html'],
    ['req.content_type.raw', 'Text/HTML; Charset="utf-8"'],
    ['req.content_type.parameters["charset"]', 'utf-8'],
    ['req.content_encoding', '["gzip","br"]'],
    ['req.user_agent', ''],
    ['req.user_agent.name + req.user_agent.os', ''],
    ['req.user_agent.is_bot || req.user_agent.is_mobile', 'false'],
    ['req.location', ''],
    ['req.ts.body_received', '1970-01-01T00:00:00Z'],
    ['req.content_length', '0'],
    ['req.cookies["a"].map(c, c.value)', '["1","3"]'],
    ['getReqCookie("b").value', 'two'],
    ['getReqCookie("none").value', ''],
    ['getReqCookie("a").secure', 'false'],
    ['getResCookie("sid").value', '2'],
    ['getResCookie("sid").http_only && getResCookie("sid").secure', 'true'],
    ['res.cookies["sid"][1].max_age == duration("60s")', 'true'],
    ['res.cookies["sid"][1].same_site', 'Lax'],
    ['"Partitioned" in res.cookies["sid"][1].unparsed_attributes', 'true'],
    ['req.trailers', '{}'],
    ['has(req.content_type)', 'true'],
    ['has(req.location)', 'false'],
  ])('%s', (expression, text) => {
    expect(show(expression, facts)).toBe(text);
  });
});

it.each([
  ['multipart/mixed; boundary="a;b=c"; charset=UTF-8', '{"boundary":"a;b=c","charset":"UTF-8"}'],
  ['text/plain; x="; charset=utf-7"', '{"x":"; charset=utf-7"}'],
  ['text/plain; x="a\\"; charset=b"; y="\\\\"', '{"x":"a\\"; charset=b","y":"\\\\"}'],
  ['text/plain; x="never closed; charset=b', '{"x":"\\"never closed; charset=b"}'],
  ['text/plain ;a=b;;c; D = e ;', '{"a":"b","d":"e"}'],
  ['text/plain', '{}'],
  [';', '{}'],
])('parameters of the media type %s', (header, text) => {
  expect(show('json.encode(req.content_type.parameters)', { headers: [['Content-Type', header]] })).toBe(text);
});

describe('connections', () => {
  const { cert } = selfSigned('service-a.example.com', 'Example Corp');
  const tls = {
    ja4Fingerprint: 't13d_a_b',
    sni: 'app.example.com',
    version: '1.3',
    client: { ...CLIENT_CERTIFICATE, pem: cert },
  };

  it.each([
    ['conn.tls.client.subject', 'CN=service-a,O=Example'],
    ['conn.tls.client.subject.common_name', 'service-a'],
    ['conn.tls.client.subject.organization', '["Example Corp"]'],
    ['conn.tls.client.issuer.country', '["DE"]'],
    ['conn.tls.client.san.dns_names', '["service-a.example.com"]'],
    ['conn.tls.client.san.email_addresses', '["ops@example.com"]'],
    ['conn.tls.client.san.uris', '["https://example.com/x"]'],
    ['conn.tls.client.san.ip_addresses', '["10.0.0.1"]'],
    ['conn.tls.client.serial_number', 'b53017e7'],
    ['conn.tls.client.validity.not_after > timestamp(time.now)', 'true'],
    ['conn.tls.client.extensions.map(e, e.id)', '["2.5.29.17"]'],
    ['conn.tls.client.extensions[0].critical', 'false'],
    ['size(conn.tls.client.extensions[0].value) > 40', 'true'],
    ['conn.tls.server.extensions', '[]'],
    ['conn.tls.ja4_fingerprint', 't13d_a_b'],
    ['conn.ts.end', '1970-01-01T00:00:00Z'],
    ['conn.tls.server.subject', ''],
    ['conn.tls.server.subject.country', '[]'],
    ['conn.tls.session_resumed', 'false'],
    ['actions.ngrok.terminate_tls.client.subject', 'CN=service-a,O=Example'],
    ['actions.ngrok.terminate_tls.version', '1.3'],
    ['actions.ngrok.terminate_tls.error.code', ''],
    ['conn.k8s.pod.metadata.error_code == ""', 'true'],
    ['conn.ts.start', '2026-11-24T11:59:59Z'],
    ['time.now', '2026-11-24T12:00:00.000Z'],
    ['endpoint.protocol', 'https'],
  ])('%s', (expression, text) => {
    expect(show(expression, { tls })).toBe(text);
  });

  it('read as empty without TLS', () => {
    expect(show('conn.tls.sni + conn.tls.client.pem')).toBe('');
    expect(show('size(conn.tls.client.san.dns_names)')).toBe('0');
  });
});

describe('functions', () => {
  it.each([
    ['hash.md5("abc")', '900150983cd24fb0d6963f7d28e17f72'],
    ['hash.sha1("abc")', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['"abc".sha256("base64")', 'ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='],
    ['hash.crc32("123456789")', 'cbf43926'],
    ['hash.crc64("123456789")', 'b90956c775a41001'],
    ['hash.xxhash64("")', 'ef46db3751d8e999'],
    ['hash.xxhash64("abc")', '44bc2cf5ad770999'],
    ['"0123456789abcdefghijklmnopqrstuvwxyzABCD".xxhash64()', expect.stringMatching(/^[0-9a-f]{16}$/)],
    ['hash.sha1("abc", "octal")', "failed: a hash is written as 'hex' or 'base64'"],
    ['json.encode({"b": [1, 2.5, null, true], "a": "x"})', '{"a":"x","b":[1,2.5,null,true]}'],
    ['json.decode("{\\"n\\": 12345678901}").n + 1', '12345678902'],
    ['[{"a": 2}, {"a": 1}].sortBy(x, x.a)[0].a', '1'],
    ['["b", 1].sort()', expect.stringMatching(/^failed/)],
    ['cel.bind(x, 20, x + 1)', '21'],
    ['queryString.encode({"b": ["2", "3"], "a": "x y"})', 'a=x+y&b=2&b=3'],
    ['url.escape("/foo?é")', '%2Ffoo%3F%C3%A9'],
    ['url.parse("https://u:p@h.example:8443/a%20b?x=1#f").path', '/a b'],
    ['"not a url".isURL()', 'false'],
    ['"  a  b ".split()', '["a","b"]'],
    ['rand.int(3, 3)', '3'],
    ['"abc".includes("bc") && !"abc".includes("x")', 'true'],
    ['["a", "b"].includes("b") && ![1, 2].includes(3)', 'true'],
    ['["a/b", "c"].contains("/") && !["a/b"].contains("x")', 'true'],
    ['b"abc"', 'abc'],
    ['1.5', '1.5'],
    ['5u', '5'],
    ['duration("90s")', '90s'],
  ])('%s', (expression, text) => {
    expect(show(expression)).toEqual(text);
  });

  it('rand.int reaches both ends', () => {
    expect(show('rand.int(0, 9)', { random: 0 })).toBe('0');
    expect(show('rand.int(0, 9)', { random: 0.9999999 })).toBe('9');
  });
});
