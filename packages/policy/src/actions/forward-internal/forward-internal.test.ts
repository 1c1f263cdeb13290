import { describe, expect, it } from 'vitest';
import { refusal, rule, run } from '../../testing/run.ts';
import { forwardTarget } from './target.ts';

const R = 'on_http_request';
const forward = (url: unknown, more = {}): object => ({ type: 'forward-internal', config: { url, ...more } });

describe('forward-internal', () => {
  it('goes where the url says', async () => {
    const { outcome } = await run(R, [{ actions: [forward('https://app.internal:8443', { binding: 'internal' })] }]);
    expect(outcome).toEqual({ kind: 'forward', url: 'https://app.internal:8443', onError: 'halt' });
  });

  it('finds its target at run time', async () => {
    const facts = { headers: [['x-service', 'orders']] as const };
    const rules = [
      { actions: [forward("https://${getReqHeader('x-service')[0]}.internal", { on_error: 'continue' })] },
    ];
    expect((await run(R, rules, facts)).outcome).toEqual({
      kind: 'forward',
      url: 'https://orders.internal',
      onError: 'continue',
    });
    expect((await run(R, rules)).outcome).toMatchObject({ kind: 'error', error: { number: 2238 } });
    const outside = { headers: [['x-service', 'evil.example/']] as const };
    expect((await run(R, rules, outside)).outcome).toMatchObject({ kind: 'error', error: { number: 2226 } });
  });

  it.each([
    ['app.internal', 'https://app.internal'],
    ['http://app.internal/', 'http://app.internal'],
    ['HTTPS://app.internal', 'https://app.internal'],
  ])('reads %s', (written, url) => {
    expect(forwardTarget(written, R, 'https')).toEqual({ url });
  });

  it.each([
    ['https://app.example.com', /\.internal/],
    ['ftp://app.internal', /begin with/],
    ['https://u:p@app.internal', /user name/],
    ['https://app.internal/path', /path/],
    ['https://app.internal:99999', /parse/],
    ['tcp://app.internal:1', /http and https only/],
    ['', /.*/],
  ])('refuses %s', (written, words) => {
    expect(forwardTarget(written, R, 'https')).toMatchObject({ problem: expect.stringMatching(words) });
  });

  it('keeps to the protocols of the endpoint', () => {
    expect(forwardTarget('tcp://db.internal:5432', 'on_tcp_connect', 'tcp')).toHaveProperty('url');
    expect(forwardTarget('tls://db.internal', 'on_tcp_connect', 'tls')).toHaveProperty('url');
    expect(forwardTarget('https://db.internal', 'on_tcp_connect', 'tcp')).toHaveProperty('problem');
    expect(forwardTarget('db.internal:1', 'on_tcp_connect', 'tcp')).toEqual({ url: 'tcp://db.internal:1' });
  });

  it.each(['http', 'https'] as const)(
    'is refused in the connection phase of %s, where requests are not known',
    (protocol) => {
      const early = rule('on_tcp_connect', forward('https://a.internal'));
      expect(refusal(early, { protocol, binding: 'public', kind: 'agent' })).toMatch(/^90032 .*on_http_request/);
    },
  );

  it('says what is wrong with its config', () => {
    expect(refusal(rule(R, forward('https://x.example')))).toMatch(/^2226 .*config\.url: "https:\/\/x\.example"/);
    expect(refusal(rule(R, forward('')))).toMatch(/^2223 .*config\.url: /);
    expect(refusal(rule(R, forward('https://a.internal', { on_error: 'stop' })))).toMatch(
      /^2222 .*config\.on_error: "stop" is not one of halt, continue/,
    );
  });
});
