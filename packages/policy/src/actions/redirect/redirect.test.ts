import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../../index.ts';
import { makeContext, type Facts } from '../../testing/context.ts';
import { AGENT, bodyOf, CLOUD, refusal, rule, run, show } from '../../testing/run.ts';

const R = 'on_http_request';
const S = 'on_http_response';
const redirect = (config: object): object => ({ type: 'redirect', config });
const outcomeOf = async (config: object, facts: Facts = {}) =>
  (await run(R, [{ actions: [redirect(config)] }, show('stayed')], facts)).outcome;
const config = (value: object): string => refusal(rule(R, redirect(value)));

/** Where a visitor of `url` is sent, or 'stayed'. */
async function location(from: string, to: string, url: string, headers: Facts['headers'] = []): Promise<string> {
  const [, scheme = '', authority = '', target = ''] = /^(\w+):\/\/([^/]+)(.*)$/.exec(url) ?? [];
  const outcome = await outcomeOf({ from, to }, { scheme, authority, target, headers });
  if (outcome.kind !== 'respond') return outcome.kind === 'error' ? outcome.error.code : outcome.kind;
  return outcome.headers.find(([name]) => name === 'location')?.[1] ?? bodyOf(outcome);
}

const APP = 'https://app.example.com';

describe('redirect', () => {
  it.each([
    ['^(https?://[^/]+)/products(.*)$', '$1/store/products$2', `${APP}/products/7?a=b`, `${APP}/store/products/7?a=b`],
    ['^http:', 'https:', 'http://app.example.com/a', `${APP}/a`],
    ['^http:', 'https:', `${APP}/a`, 'stayed'],
    [':8080', ':9090', 'http://app.example.com:8080/x', 'http://app.example.com:9090/x'],
    ['app.example.com', 'www.example.com', `${APP}/`, 'https://www.example.com/'],
    // A host is lower case, with no port that goes without saying.
    ['^https://app\\.example\\.com/(.*)', 'https://b.test/$1', 'https://APP.Example.COM:443/Ab', 'https://b.test/Ab'],
    ['APP', 'www', `${APP}/`, 'stayed'],
    ['(?i)APP', 'www', `${APP}/`, 'https://www.example.com/'],
    // Paths and queries are as they were sent.
    ['/old', '/new', `${APP}/old%20path/%2e%2e/?q=%C3%BC#`, `${APP}/new%20path/%2e%2e/?q=%C3%BC#`],
    ['ü', 'u', `${APP}/%C3%BC`, 'stayed'],
    ['%C3%BC', 'ü', `${APP}/%C3%BC`, 'stayed'],
    ['\\?.*', '', `${APP}/a?b=c`, `${APP}/a`],
    // Every match.
    ['a', 'b', `https://x.test/aaa?a`, 'https://x.test/bbb?b'],
    ['x*', '-', 'https://q.test/x', '-h-t-t-p-s-:-/-/-q-.-t-e-s-t-/-'],
    ['$', '/', `${APP}/a`, `${APP}/a/`],
    ['^', '', `${APP}/a`, 'stayed'],
    ['(.*)', '$1', `${APP}/a`, 'stayed'],
    // Groups, as Go's regexp has them.
    ['/(?P<year>\\d+)/(\\d+)$', '/$2-$year', `${APP}/2026/11`, `${APP}/11-2026`],
    ['/(?P<year>\\d+)$', '/y$${year}m', `${APP}/2026`, `${APP}/y2026m`],
    ['/(\\d+)$', '/$${1}x', `${APP}/20`, `${APP}/20x`],
    ['/(\\d+)$', '/a$1x', `${APP}/20`, `${APP}/a`],
    ['/(\\d+)$', '/$01$2$none.', `${APP}/20`, `${APP}/.`],
    ['/(\\d+)$', '/$$1$$', `${APP}/20`, `${APP}/$1$`],
    ['/(\\d+)$', '/$-$', `${APP}/20`, `${APP}/$-$`],
    ['/(\\d+)$', '/$0/$${1', `${APP}/20`, `${APP}//20/$\{1`],
    ['/(x)|/(b)$', '/[$1|$2]', `${APP}/b`, `${APP}/[|b]`],
  ])('by %s → %s: %s → %s', async (from, to, url, expected) => {
    expect(await location(from, to, url)).toBe(expected);
  });

  it('answers with the status, the headers and no body', async () => {
    const fields = { from: '^.*$', to: '/b', status_code: '308', headers: { 'X-Was': '${req.url.path}', 'x-b': 1 } };
    expect(await outcomeOf(fields, { target: '/a' })).toEqual({
      kind: 'respond',
      status: 308,
      headers: [
        ['location', '/b'],
        ['x-was', '/a'],
        ['x-b', '1'],
      ],
      body: Buffer.alloc(0),
    });
  });

  it('without from always goes to to', async () => {
    const fixed = { to: 'https://b.test/$1?x=ü', headers: { 'x-a': '1' } };
    expect(await outcomeOf(fixed)).toMatchObject({
      status: 302,
      headers: [
        ['location', 'https://b.test/$1?x=%C3%BC'],
        ['x-a', '1'],
      ],
    });
    const geo = { to: "/geo?city=${getQueryParam('city')[0]}&ip=${conn.client_ip}" };
    expect(await outcomeOf(geo, { target: '/?city=S%C3%A3o+Paulo' })).toMatchObject({
      headers: [['location', '/geo?city=S%C3%A3o%20Paulo&ip=203.0.113.7']],
    });
    expect(await outcomeOf(geo)).toMatchObject({ headers: [['location', '/geo?city=&ip=203.0.113.7']] });
  });

  it('sees the request as it is now, and what earlier actions left', async () => {
    const actions = [
      { type: 'set-vars', config: { vars: [{ v: 2 }] } },
      redirect({ from: '/v1/', to: '/v${vars.v}/' }),
    ];
    const { outcome } = await run(R, [{ actions }], { target: '/v1/a' });
    expect(outcome).toMatchObject({ headers: [['location', `${APP}/v2/a`]] });
    const context = makeContext({ target: '/old' });
    const cursor = compilePolicy(rule(R, redirect({ from: '/new', to: '/newer' })), AGENT).onHttpRequest?.start({
      ...context,
      req: context.req === null ? null : { ...context.req, target: '/new' },
    });
    expect(await cursor?.next()).toMatchObject({ headers: [['location', `${APP}/newer`]] });
  });

  it('fills in patterns before they are read', async () => {
    const from = "^https://[^/]+/${req.headers['x-p'][0]}/(.*)";
    expect(await location(from, '/$1', `${APP}/aab/c`, [['x-p', 'a+b']])).toBe('/c');
    expect(await location(from, '/$1', `${APP}/aab/c`, [['x-p', 'b']])).toBe('stayed');
    expect(await location(from, '/$1', `${APP}/aab/c`, [['x-p', '(']])).toBe('ERR_NGROK_3901');
    expect(await location(from, '/$1', `${APP}/aab/c`, [['x-p', '(a{1,1000}){1,1000}']])).toBe('ERR_NGROK_3901');
    // An empty hole would match what nobody meant.
    expect(await location(from, '/$1', `${APP}//c`)).toBe('ERR_NGROK_2238');
    expect(await location('/a$', "/${req.headers['x-p'][0]}", `${APP}/a`, [['x-p', 'b']])).toBe(`${APP}/b`);
  });

  it('never breaks a header, and never leads nowhere', async () => {
    expect(await outcomeOf({ to: '/${req.url.path}' }, { target: '/a%0d%0aset-cookie:x' })).toMatchObject({
      kind: 'error',
      error: { number: 90035 },
    });
    expect(await outcomeOf({ from: '/a', to: '${url.unescape(req.url.query)}' }, { target: '/a?%0a' })).toMatchObject({
      error: { number: 90035 },
    });
    const headers = { 'x-a': '${url.unescape(req.url.query)}' };
    expect(await outcomeOf({ to: '/', headers }, { target: '/?%0a' })).toMatchObject({ error: { number: 90035 } });
    expect(await outcomeOf({ to: '${vars.none}' })).toMatchObject({ error: { number: 2238 } });
    expect(await outcomeOf({ from: '.*', to: '' })).toMatchObject({ error: { number: 2238 } });
    expect(await outcomeOf({ to: '/${1 / 0}' })).toMatchObject({ error: { number: 2238 } });
  });

  it('tells what it did, also to the response phase', async () => {
    const text = '${actions.ngrok.redirect}';
    const none = '"error":{"code":"","message":""}';
    const stay = [{ actions: [redirect({ from: 'nowhere', to: 'x' })] }, show(text)];
    expect(bodyOf((await run(R, stay)).outcome)).toBe(`{${none},"matches":[],"url":""}`);
    const same = [{ actions: [redirect({ from: 'ex|am', to: '$0' })] }, show(text)];
    expect(bodyOf((await run(R, same)).outcome)).toBe(`{${none},"matches":["ex","am"],"url":""}`);

    const later = async (fields: object): Promise<string> => {
      const policy = compilePolicy({ ...rule(R, redirect(fields)), [S]: [show(text)] }, AGENT);
      const context = makeContext({ status: 302, target: '/a/a' });
      await policy.onHttpRequest?.start(context).next();
      const outcome = await policy.onHttpResponse?.start(context).next();
      return outcome === undefined ? '' : bodyOf(outcome);
    };
    expect(await later({ from: '/a', to: '/b' })).toBe(
      `{${none},"matches":["/a","/a","/a"],"url":"https://bpp.example.com/b/b"}`,
    );
    expect(await later({ to: '/b' })).toBe(`{${none},"matches":[],"url":"/b"}`);
    expect(await later({ to: '${1 / 0}' })).toMatch(/"error":\{"code":"ERR_NGROK_2238","message":"[^"]+"\},.*"url":""/);
  });

  it('ends a rule, and a cloud endpoint, only where it always redirects', () => {
    expect(refusal(rule(R, redirect({ to: '/' })), CLOUD)).toBe('accepted');
    expect(refusal(rule(R, redirect({ from: 'a', to: 'b' })), CLOUD)).toMatch(/^2235 /);
    expect(refusal(rule(R, redirect({ to: '/' }), { type: 'deny' }))).toMatch(/^2207 /);
    expect(refusal(rule(R, redirect({ from: 'a', to: 'b' }), { type: 'deny' }))).toBe('accepted');
  });
});

describe('the bounds of redirect', () => {
  it.each<[object, RegExp]>([
    [{}, /^2234 .*"to"/],
    [{ to: '' }, /^2223 .*config\.to: /],
    [{ from: '', to: 'a' }, /^2223 .*config\.from: /],
    [{ from: '(', to: 'a' }, /^2261 on_http_request\[0\]\.actions\[0\]\.config\.from: /],
    [{ from: '(?=a)', to: 'a' }, /^2261 .*config\.from: /],
    [{ from: '(a{1,1000}){1,1000}', to: 'a' }, /^2261 .*config\.from: /],
    [{ from: '${1 +}', to: 'a' }, /^2224 .*config\.from: /],
    [{ to: '${res.status_code}' }, /^2224 .*config\.to: /],
    [{ to: 'a\nb' }, /^2211 .*config\.to: .*"location"/],
    [{ to: 'a', status_code: 200 }, /^2215 .*config\.status_code: 200/],
    [{ to: 'a', status_code: 400 }, /^2215 .*config\.status_code: 400/],
    [{ to: 'a', headers: { Location: 'b' } }, /^2219 .*"Location"/],
    [{ to: 'a', headers: { 'content-length': '1' } }, /^2219 /],
    [{ to: 'a', headers: { a: 'x\ny' } }, /^2211 /],
    [{ to: 'a', headers: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`h${i}`, ''])) }, /^2212 /],
    [{ location: 'a' }, /^22(?:03|34) /],
  ])('refuses %j', (value, words) => {
    expect(config(value)).toMatch(words);
  });

  it('refuse what is too long', () => {
    expect(config({ from: 'a'.repeat(1025), to: 'a' })).toMatch(/^2261 .*config\.from: .*1024/);
    expect(config({ to: 'a'.repeat(8193) })).toMatch(/^2221 .*config\.to: 8193/);
  });

  it('hold for the patterns of a policy together', () => {
    const large = Array.from({ length: 10 }, (_, i) =>
      redirect({ from: `${'ab'.repeat(7 + i)}(?:cd){1,700}`, to: 'x' }),
    );
    expect(refusal(rule(R, ...large.slice(0, 5)))).toBe('accepted');
    expect(refusal(rule(R, ...large))).toMatch(/^2261 .*config\.from: .*together/);
  });

  it('end a request whose URL would take too long', async () => {
    const outcomes: unknown[] = [];
    const target = (length: number): Facts => ({ target: `/${'a'.repeat(length)}` });
    const before = process.cpuUsage();
    // Every search goes to the end of the text, and finds one letter.
    for (const [from, length] of [
      ['(b*?)(?:a.*c|a)', 8_000],
      ['(a|b|c)*z|a', 8_000],
      ['(.*)*', 800_000],
    ] as const) {
      outcomes.push(await outcomeOf({ from, to: '$1' }, target(length)));
    }
    expect(outcomes).toEqual(
      Array(3).fill(expect.objectContaining({ error: expect.objectContaining({ number: 90034 }) })),
    );
    // Of this process: what others have of a busy machine is not the subject.
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(2_000);
    const long = await outcomeOf({ from: '(a*)', to: '$1'.repeat(4_000) }, target(4_000));
    expect(long).toMatchObject({ error: { number: 90034 } });
  });
});
