import { describe, expect, it } from 'vitest';
import type { Facts } from '../../testing/context.ts';
import { bodyOf, refusal, rule, run, show } from '../../testing/run.ts';

const R = 'on_http_request';
const rewrite = (config: object): object => ({ type: 'url-rewrite', config });
const config = (value: object): string => refusal(rule(R, rewrite(value)));

/** What the service is asked for, and under which host, where that is another; or the error. */
async function asked(fields: object, url: string, facts: Facts = {}): Promise<string> {
  const [, scheme = '', authority = '', target = ''] = /^(\w+):\/\/([^/]*)(.*)$/.exec(url) ?? [];
  const { outcome, context } = await run(R, [{ actions: [rewrite(fields)] }], { ...facts, scheme, authority, target });
  if (outcome.kind === 'error') return outcome.error.code;
  const host = context.req?.headers.get('host');
  return `${host === undefined ? '' : `${host} `}${context.req?.target ?? ''}`;
}

const APP = 'https://app.example.com';

describe('url-rewrite', () => {
  it.each([
    ['/products/([0-9]+)', '/store?id=$1', `${APP}/products/7`, '/store?id=7'],
    ['/v1', '/v2', `${APP}/v1/v1?next=/v1`, '/v2/v2?next=/v2'],
    ['/none', '/x', `${APP}/a%20b?c#`, '/a%20b?c#'],
    ['^(https?://[^/]+)/api(?P<rest>/.*)$', '$1$2', `${APP}/api/users?a=1`, '/users?a=1'],
    ['$', '?a=b', `${APP}/x`, '/x?a=b'],
    // Without a host the target alone is meant, as with patterns that take the host away.
    ['app.example.com/products/(.*)', '/products.php?p=$1', `${APP}/products/7`, '/products.php?p=7'],
    ['^https://app.example.com', '', `${APP}/a`, '/a'],
    ['.*', '/only', `${APP}/a?b`, '/only'],
    ['/a$', '', `${APP}/a`, '/'],
    ['/a\\?', '?', `${APP}/a?b`, '/?b'],
    // Another host is sent to the service as its Host.
    ['app\\.example\\.com', 'Inner.Test:8080', `${APP}/a`, 'inner.test:8080 /a'],
    ['^https://[^/]+/(.*)', 'http://user:pw@[fd00::1]:80/$1', `${APP}/a`, '[fd00::1] /a'],
    ['^https', 'http', `${APP}/a`, '/a'],
    // The one form of the visitor's host is no other host.
    ['/a$', '/b', 'https://APP.example.com:443/a', '/b'],
    ['/a$', '/b', 'http://app.example.com:8080/a', '/b'],
    // What cannot be sent as it is.
    ['/a$', '/ü b\r\nX: y#top', `${APP}/a`, '/%C3%BC%20b%0D%0AX:%20y'],
    ['^https', 'ftp', `${APP}/a`, 'ERR_NGROK_2238'],
    ['^https://', '', `${APP}/a`, 'ERR_NGROK_2238'],
    ['app.example.com', 'a b', `${APP}/a`, 'ERR_NGROK_2238'],
    ['app.example.com', 'a:b', `${APP}/a`, 'ERR_NGROK_2238'],
    ['z', 'y'.repeat(8000), `${APP}/zzzzzzzz`, `/${'y'.repeat(64_000)}`],
    ['z', 'y'.repeat(8000), `${APP}/zzzzzzzzz`, 'ERR_NGROK_2238'],
  ])('by %s → %.40s: %s → %.40s', async (from, to, url, expected) => {
    expect(await asked({ from, to }, url)).toBe(expected);
  });

  it('fills in both sides, and takes "to" for the whole without "from"', async () => {
    const facts: Facts = { headers: [['x-tenant', 'blue']] };
    const to = "/t/${req.headers['x-tenant'][0]}";
    expect(await asked({ from: '${req.url.path}', to }, `${APP}/x?b`, facts)).toBe('/t/blue?b');
    expect(await asked({ to: '/t/${req.url.query}' }, `${APP}/a?b=c`)).toBe('/t/b=c');
    expect(await asked({ to: 'https://other.test' }, `${APP}/a?b=c`)).toBe('other.test /');
    // What is missing would ask for more, or for something else, than was written.
    expect(await asked({ from: "${req.headers['none'][0]}", to: '/x' }, `${APP}/a`)).toBe('ERR_NGROK_2238');
    expect(await asked({ to: "/${req.headers['none'][0]}" }, `${APP}/a`)).toBe('ERR_NGROK_2238');
    expect(await asked({ from: '/(${req.url.query}', to: '/x' }, `${APP}/a?b`)).toBe('ERR_NGROK_3901');
  });

  it('shows later rules the new URL, and what it did', async () => {
    const fields = { from: '^https://[^/]+/a', to: 'http://b.test:81/c' };
    const seen =
      '${req.url} ${req.url.path} ${req.host} ${req.url.port} ${req.url.scheme} ${req.url.query_params["q"][0]}';
    const { outcome } = await run(R, [{ actions: [rewrite(fields)] }, show(seen)], { target: '/a/d?q=1' });
    expect(bodyOf(outcome)).toBe('http://b.test:81/c/d?q=1 /c/d b.test 81 http 1');

    const results = '${actions.ngrok.url_rewrite}';
    const done = await run(R, [{ actions: [rewrite(fields)] }, show(results)], { target: '/a' });
    expect(JSON.parse(bodyOf(done.outcome))).toEqual({
      matches: [`${APP}/a`],
      url: 'http://b.test:81/c',
      error: { code: '', message: '' },
    });
    const nothing = await run(R, [{ actions: [rewrite(fields)] }, show(results)], { target: '/z' });
    expect(JSON.parse(bodyOf(nothing.outcome))).toMatchObject({ matches: [], url: `${APP}/z` });
  });

  it('is refused where it can never work', () => {
    expect(config({})).toMatch(/^2234 /);
    expect(config({ to: 'ftp://x' })).toMatch(/^2226 on_http_request\[0\]\.actions\[0\]\.config\.to: "ftp:\/\/x"/);
    expect(config({ to: '' })).toMatch(/^2226 /);
    expect(config({ from: '(', to: '/' })).toMatch(/^2261 /);
    expect(config({ from: '', to: '/' })).toMatch(/^2223 /);
    expect(config({ from: 'a', to: '${', status_code: 302 })).toMatch(/^2203 .*status_code/);
    expect(refusal(rule('on_http_response', rewrite({ to: '/' })))).toMatch(/^2202 /);
  });
});
