import { describe, expect, it } from 'vitest';
import { bodyOf, refusal, rule, run, show } from '../../testing/run.ts';

const R = 'on_http_request';
const S = 'on_http_response';
const add = (headers: object): object => ({ actions: [{ type: 'add-headers', config: { headers } }] });
const remove = (headers: unknown): object => ({ actions: [{ type: 'remove-headers', config: { headers } }] });

describe('add-headers and remove-headers', () => {
  it('append lines to the request, and replace its host', async () => {
    const { outcome, context } = await run(R, [add({ 'X-A': '2 ${req.method}', host: 'localhost' })], {
      headers: [
        ['Host', 'app.example.com'],
        ['x-a', '1'],
      ],
    });
    expect(outcome).toEqual({ kind: 'continue' });
    expect(context.req?.headers.lines).toEqual([
      ['x-a', '1'],
      ['x-a', '2 GET'],
      ['host', 'localhost'],
    ]);
  });

  it('edit the response', async () => {
    const { context } = await run(S, [remove(['X-Powered-By', 'none']), add({ 'x-b': '1' })], {
      responseHeaders: [
        ['x-powered-by', 'a'],
        ['X-Powered-By', 'b'],
      ],
    });
    expect(context.res?.headers.lines).toEqual([['x-b', '1']]);
    expect(context.req?.headers.lines).toEqual([]);
  });

  it('tell what they did', async () => {
    const text = '${actions.ngrok.add_headers.headers_added} ${actions.ngrok.remove_headers.headers_removed}';
    const { outcome } = await run(R, [add({ 'X-A': '1' }), remove(['x-a', 'x-none']), show(text)]);
    expect(bodyOf(outcome)).toBe('{"x-a":"1"} ["x-a"]');
  });

  it('never write a line break', async () => {
    const { outcome, context } = await run(R, [add({ 'x-a': '${url.unescape(req.url.query)}' })], {
      target: '/?a%0d%0ab:c',
    });
    expect(outcome).toMatchObject({ kind: 'error', error: { number: 90035 } });
    expect(context.req?.headers.lines).toEqual([]);
  });

  it('leave alone what is not theirs', () => {
    expect(refusal(rule(R, { type: 'add-headers', config: { headers: { 'User-Agent': 'x' } } }))).toMatch(
      /^2219 .*config\.headers: the header "User-Agent"/,
    );
    expect(refusal({ [R]: [add({ 'ngrok-skip-browser-warning': '1' })] })).toMatch(/^2219 /);
    expect(refusal({ [S]: [add({ 'ngrok-error-code': '1' })] })).toMatch(/^2219 /);
    expect(refusal({ [R]: [add({ 'transfer-encoding': 'chunked' })] })).toMatch(/^2219 /);
    expect(refusal({ [R]: [remove(['a', 'user-agent'])] })).toMatch(/^2219 .*config\.headers\[1\]: /);
    expect(refusal({ [R]: [remove([])] })).toMatch(/^2223 .*config\.headers: /);
    expect(refusal({ [R]: [remove(Array(11).fill('a'))] })).toMatch(/^2218 .*config\.headers: 11/);
    expect(refusal({ [R]: [add({})] })).toMatch(/^2223 /);
    expect(refusal({ [R]: [add({ a: 'x'.repeat(8193) })] })).toMatch(/^2209 /);
    expect(refusal({ [R]: [{ actions: [{ type: 'add-headers' }] }] })).toMatch(/^2234 .*"headers"/);
  });
});
