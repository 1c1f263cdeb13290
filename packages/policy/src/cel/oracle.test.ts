/** Every expression here must give what the CEL library gives, or fail where it fails. */
import { describe, expect, it } from 'vitest';
import { makeContext } from '../testing/context.ts';
import { evaluateByLibrary } from '../testing/oracle.ts';
import { compileExpression } from './compile.ts';
import { equal } from './operations.ts';
import type { Scope } from './scope.ts';
import { BUDGET } from './work.ts';
import { Failure, fromPlain, kindOf } from './value.ts';
import { RequestParts } from './variables/request-parts.ts';

const EXPRESSIONS = `
1 + 2 * 3 - 4
7 / 2
-7 / 2
-7 % 3
7 % 0
1 / 0
9223372036854775807 + 1
-(-9223372036854775807 - 1)
1.5 + 2.25
1.0 / 0.0
-2.5
5u + 3u
3u - 5u
"a" + "b"
[1] + [2, 3]
b"ab" + b"c"
1 == 1.0
1u == 1
1 == 1u
null == null
[1, 2] == [1, 2.0]
[1, 2] == [1, 3]
{"a": 1} == {"a": 1}
{"a": 1, "b": [2]} == {"b": [2], "a": 1}
{"a": 1} == {"a": 2}
b"a" == b"a"
true == true
true != false
1 < 2
1 < 1.5
2u >= 1
"a" < "b"
"b" <= "a"
false < true
b"a" < b"b"
1 in [1, 2]
1.0 in [1, 2]
"a" in ["a", "b"]
"c" in ["a", "b"]
req.method in ["GET", "HEAD"]
"a" in {"a": 1}
"b" in {"a": 1}
[1, 2, 3][1]
[1, 2, 3][3]
[1, 2, 3][-1]
[1, 2, 3][1.0]
{"a": 1}["a"]
{"a": 1}["b"]
{1: "x"}[1]
{1: "x"}[1.0]
{true: "x"}[true]
{"a": {"b": 7}}.a.b
{"a": 1}.c
{"a": 1, "a": 2}
true && false
true || false
!true
false && (1 / 0 == 1)
(1 / 0 == 1) && false
(1 / 0 == 1) || true
(1 / 0 == 1) || false
true && (1 / 0 == 1)
{"a": 1}.b == 1 || true
{"a": 1}.b == 1 && true
req.headers["none"][0] == "x" || req.method == "GET"
req.headers["none"][0] == "x" && req.method == "GET"
req.headers["none"][0] == "x"
true ? 1 : 2
false ? 1 / 0 : 2
(1 / 0 == 1) ? 1 : 2
"hello".startsWith("he")
"hello".endsWith("lo")
"hello".contains("ell")
"hello".size()
size("héllo")
size("a😀b")
size([1, 2])
size({"a": 1})
size(b"abc")
"hello".matches("^h.*o$")
matches("hello", "l+")
"HELLO".matches("(?i)hello")
"hello".charAt(1)
"hello".charAt(9)
"hello".indexOf("l")
"hello".indexOf("l", 3)
"hello".lastIndexOf("l")
["a", "b"].join()
["a", "b"].join("-")
"a-b-c".split("-")
"a-b-c".split("-", 2)
"hello".replace("l", "L")
"hello".replace("l", "L", 1)
"hello".replace("l", "", -1)
"hello".replace("l", "x", 0)
"hello".replace("lo", "lolo", 9)
["a", 1].join("-")
[].join("-")
"aaa".replace("aa", "b")
"hello".substring(1)
"hello".substring(1, 3)
"hello".substring(4, 1)
"  x ".trim()
"aäc".reverse()
"HeLLo".lowerAscii()
"HeLLo".upperAscii()
"%s is %d".format(["x", 3])
strings.quote("a\\"b")
int("42")
int(3.9)
int("x")
uint(3)
double("1.5")
double(2)
string(42)
string(1.5)
string(true)
string(b"abc")
bytes("abc")
bool("true")
bool("maybe")
type(1) == int
type("a") == string
type([1]) == list
type(null) == null_type
dyn(1) == 1
timestamp("2026-01-01T00:00:00Z") < timestamp("2026-01-02T00:00:00Z")
timestamp("2026-01-01T00:00:00Z") + duration("1h")
timestamp("2026-01-02T00:00:00Z") - timestamp("2026-01-01T00:00:00Z") == duration("24h")
duration("90s") == duration("1m30s")
duration("1h") > duration("59m")
timestamp("2026-01-01T05:06:07Z").getHours()
timestamp("2026-01-01T05:06:07Z").getFullYear()
timestamp("2026-01-01T05:06:07Z").getHours("Europe/Berlin")
duration("90m").getMinutes()
timestamp(time.now) > conn.ts.start
conn.ts.start > timestamp("2023-12-31T00:00:00Z")
[1, 2, 3].all(x, x > 0)
[1, 2, 3].all(x, x > 1)
[1, 2, 3].exists(x, x == 2)
[1, 2, 3].exists(x, x == 9)
[1, "a"].exists(x, x == "a")
[1, 2, 3].exists_one(x, x > 2)
[1, 2, 3].exists_one(x, x > 1)
[1, 2, 3].filter(x, x > 1)
[1, 2, 3].map(x, x * 2)
[1, 2, 3].map(x, x > 1, x * 2)
[[1, 2], [3]].map(l, l.map(x, x + 1))
{"a": 1, "b": 2}.all(k, k in ["a", "b"])
{"a": 1, "b": 2}.exists(k, k == "b")
{"a": 1, "b": 2}.exists_one(k, k == "b")
{"a": 1, "b": 2}.map(k, k + "!")
{"a": 1, "b": 2}.filter(k, k != "a")
[0, 1].exists(x, 1 / x == 1)
[0].exists(x, 1 / x == 1)
[0, 1].all(x, 1 / x == 2)
[].all(x, x > 0)
[].exists(x, x > 0)
[1, 2].filter(x, x / 0 == 1)
has({"a": 1}.a)
has({"a": 1}.b)
{"a": [1, {"b": 2}]}.a[1].b
[1, 2].map(x, {"v": x})[1].v
req.url.path.startsWith("/api/") && !(conn.client_ip in ["1.1.1.1"])
req.method == "POST" || req.method == "GET"
req.content_length > 10000
req.content_length >= 12 && req.content_length < 13
req.url.path
req.url.query
req.url
req.url.host + ":" + string(req.url.port)
req.url.query_params["a"][0] == "1"
req.url.query_params["a"].join(",")
"zz" in req.url.query_params
req.url.query_params.exists_one(x, x == "a")
"user-agent" in req.headers
"User-Agent" in req.headers
!("Authorization" in req.headers)
req.headers["X-Tier"].join(",") == "gold,silver"
req.headers["x-tier"].exists(v, v.matches("(?i)GOLD"))
req.headers.exists_one(x, x == "x-tier")
req.headers.map(k, k).size() > 1
getReqHeader("x-tier")
getReqHeader("X-Tier")[1]
getReqHeader("none").size() == 0
getReqHeader("tier").exists(v, v.matches("(?i)bronze"))
hasReqHeader("X-Tier")
!hasReqHeader("authorization")
getQueryParam("a")
size(getQueryParam("q")) == 0
hasQueryParam("a")
hasReqCookie("session")
getReqCookie("session").value
"session" in req.cookies && req.cookies["session"][0].value.contains("prem")
req.cookies["none"][0].value == "x"
req.user_agent.contains("curl")
req.user_agent.matches("(?i).*(chatgpt-user|gptbot)/\\\\d+.*")
req.host.split(".example.com")[0]
req.host.startsWith("api.")
req.content_type == "application/json"
req.content_type.parameters["charset"] == "utf-8"
res.status_code >= 300
res.status_code == 200
res.status_code < 200 || res.status_code >= 300
res.headers["x-powered-by"][0]
"Fizz" in res.headers["baz"]
hasResHeader("Content-Type")
getResCookie("sid").path
res.cookies["sid"][0].max_age > duration("24h")
res.cookies["sid"][0].expires > timestamp(time.now)
res.cookies["sid"][0].http_only && res.cookies["sid"][0].secure
size(res.cookies) > 0
conn.client_ip == "203.0.113.7"
conn.client_port + 1
conn.server_region == "eu"
conn.tls.sni == "app.example.com"
conn.tls.version == "1.3"
endpoint.addr
endpoint.host == "app.example.com"
inCidrRange(conn.client_ip, "203.0.113.0/24")
inCidrRange(conn.client_ip, "10.0.0.0/8")
inCidrRange(conn.client_ip, "nonsense")
inCidrRanges(conn.client_ip, ["10.0.0.0/8", "203.0.0.0/8"])
"192.168.3.4".isPrivateIp()
rand.double() <= 0.5
rand.int() == 1
rand.int(0, 10) >= 5
rand.int(5, 1)
base64.encode(b"hello")
base64.decode("aGVsbG8=")
base64.decode("!")
"hello".encodeBase64().decodeBase64()
basic_auth.encode("user", "password")
hash.sha256("abc")
"abc".md5("base64")
json.decode("{\\"a\\": [1, 2.5, null]}").a[0]
json.decode("{")
json.encode({"b": 1, "a": [true]})
{"a": 1}.encodeJson()
"{}".isJson()
queryString.decode("a=1&b=2")["b"]
queryString.encode({"q": "a b"})
url.escape("/foo bar")
url.unescape("%2Ffoo")
url.parse("https://h.example:8443/p?x=1").host
"https://h.example".isURL()
"a  b c".split()
"ÄB".lower()
[1, 2, 3, 4].slice(1, 3)
[[1], [2, [3]]].flatten()
[[1], [2, [3]]].flatten(2)
[3, 1, 2].sort()
["b", "a"].sort()
[1, 1.0, 2].distinct()
lists.range(3)
vars.tier == "gold"
vars.list[1]
vars.map.key.startsWith("v")
int(vars.number) <= 2
`
  .split('\n')
  .filter((line) => line !== '');

function makeScope(): Scope {
  const context = makeContext({
    method: 'GET',
    target: '/api/v1/items%20x?a=1&a=2&b=%20y',
    contentLength: 12,
    headers: [
      ['User-Agent', 'curl/8.1'],
      ['X-Tier', 'gold'],
      ['x-tier', 'silver'],
      ['Cookie', 'session=premium-1; other=2'],
      ['Content-Type', 'application/json; charset=utf-8'],
    ],
    status: 302,
    responseHeaders: [
      ['X-Powered-By', 'test'],
      ['baz', 'Fizz'],
      ['Content-Type', 'text/html'],
      ['Set-Cookie', 'sid=1; Path=/a; Max-Age=90000; HttpOnly; Secure; Expires=Wed, 01 Jan 2031 00:00:00 GMT'],
    ],
    tls: { sni: 'app.example.com', version: '1.3' },
    random: 0.5,
  });
  const vars = { tier: 'gold', list: [1, 2], map: { key: 'value' }, number: 2 };
  return {
    context,
    vars: new Map(Object.entries(vars).map(([name, value]) => [name, fromPlain(value)])),
    locals: [],
    budget: BUDGET,
    parts: new RequestParts(),
  };
}

function failing(result: unknown): unknown {
  return result instanceof Failure ? 'fails' : result;
}

const PHASE = { phase: 'on_http_response', usesResult: () => {} } as const;

describe('our compiler and the library agree', () => {
  it('has a table worth the name', () => {
    const failures = EXPRESSIONS.filter((text) => evaluateByLibrary(text, makeScope()) instanceof Failure);
    expect(EXPRESSIONS.length - failures.length).toBeGreaterThan(200);
    expect(failures.length).toBeGreaterThan(20);
  });

  it.each(EXPRESSIONS)('%s', (text) => {
    const theirs = evaluateByLibrary(text, makeScope());
    let ours;
    try {
      ours = compileExpression(text, PHASE).eval(makeScope());
    } catch (error) {
      // Refused when compiled: right where the library fails when it runs.
      expect(`${String(error)} / ${theirs instanceof Failure}`).toMatch(/true$/);
      return;
    }
    if (theirs instanceof Failure || ours instanceof Failure) {
      expect([failing(ours), failing(theirs)]).toEqual(['fails', 'fails']);
      return;
    }
    expect(kindOf(ours)).toBe(kindOf(theirs));
    expect(equal(ours, theirs, makeScope()) || (Number.isNaN(ours) && Number.isNaN(theirs))).toBe(true);
  });
});
