import { describe, expect, it } from 'vitest';
import { bodyOf, refusal, rule, run } from '../../testing/run.ts';
import { inferContentType } from './content-type.ts';

const R = 'on_http_request';
const respond = (fields: object, facts = {}) =>
  run(R, [{ actions: [{ type: 'custom-response', config: fields }] }], facts);

const config = (value: object): string => refusal(rule(R, { type: 'custom-response', config: value }));

describe('custom-response', () => {
  it('answers with status, headers and body', async () => {
    const { outcome } = await respond({ status_code: '503', body: 'Busy', headers: { 'Retry-After': 5 } });
    expect(outcome).toEqual({
      kind: 'respond',
      status: 503,
      headers: [
        ['retry-after', '5'],
        ['content-type', 'text/plain; charset=utf-8'],
      ],
      body: Buffer.from('Busy'),
      constant: true,
    });
  });

  it('is one answer for every request only where nothing depends on the request', async () => {
    expect((await respond({ body: 'Busy' })).outcome).toMatchObject({ constant: true });
    expect((await respond({ body: 'Busy ${1 + 1}' })).outcome).not.toHaveProperty('constant');
  });

  it('answers 200 with nothing by default, and knows the older name of body', async () => {
    expect((await respond({})).outcome).toMatchObject({ status: 200, headers: [], body: Buffer.alloc(0) });
    expect(bodyOf((await respond({ content: 'old' })).outcome)).toBe('old');
    expect(refusal(rule(R, { type: 'custom-response', config: { content: 'a', body: 'b' } }))).toMatch(
      /^2203 .*\.content: /,
    );
  });

  it('fills in ${}, and leaves what is missing empty', async () => {
    const body =
      '${req.method} ${req.headers["none"][0]}|${vars.none}|${actions.ngrok.oauth.identity.email} $${x} ${1 + 1}';
    const { outcome } = await respond({ body, headers: { 'x-ip': '${conn.client_ip}' } });
    expect(bodyOf(outcome)).toBe('GET || ${x} 2');
    expect(outcome).toMatchObject({
      headers: [
        ['x-ip', '203.0.113.7'],
        ['content-type', 'text/plain; charset=utf-8'],
      ],
    });
  });

  it('answers 500 when an expression fails or breaks a header', async () => {
    expect((await respond({ body: '${1 / 0}' })).outcome).toMatchObject({ kind: 'error', error: { number: 2238 } });
    const headers = { 'x-a': '${req.url.path}' };
    expect((await respond({ headers }, { target: '/a%0d%0ax-evil:1' })).outcome).toMatchObject({
      error: { number: 90035 },
    });
  });

  it('replaces the response in on_http_response', async () => {
    const { outcome } = await run(
      'on_http_response',
      [
        {
          expressions: ['res.status_code >= 500'],
          actions: [{ type: 'custom-response', config: { body: 'was ${res.status_code}' } }],
        },
      ],
      { status: 502 },
    );
    expect(bodyOf(outcome)).toBe('was 502');
  });

  it('refuses bodies where there can be none, and headers that frame the message', () => {
    expect(config({ status_code: 204, body: 'x' })).toMatch(/^2204 .*config\.body: .*204/);
    expect(config({ status_code: 204 })).toBe('accepted');
    expect(config({ headers: { 'Content-Length': '3' } })).toMatch(/^2219 .*config\.headers: /);
    expect(config({ headers: { 'bad name': 'x' } })).toMatch(/^2210 /);
    expect(config({ headers: { a: 'x\r\ny' } })).toMatch(/^2211 /);
    expect(config({ headers: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`h${i}`, ''])) })).toMatch(
      /^2212 .*11 headers/,
    );
    expect(config({ body: ['x'] })).toMatch(/^2204 .*config\.body: text is needed/);
  });

  it('infers what the body is', () => {
    expect(inferContentType('{"a":1}')).toMatch(/^application\/json/);
    expect(inferContentType('{not json')).toMatch(/^text\/plain/);
    expect(inferContentType('  <!DOCTYPE html><p>x')).toMatch(/^text\/html/);
    expect(inferContentType('<h1>Hi</h1>')).toMatch(/^text\/html/);
    expect(inferContentType('<?xml version="1.0"?><a/>')).toMatch(/^application\/xml/);
    expect(inferContentType('<note><to>x</to></note>')).toMatch(/^application\/xml/);
    expect(inferContentType('a < b')).toMatch(/^text\/plain/);
  });
});
