import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../../index.ts';
import { makeContext } from '../../testing/context.ts';
import { AGENT, refusal, rule, run } from '../../testing/run.ts';
import { forwardTarget } from './target.ts';

const R = 'on_http_request';
const forward = (url: unknown, more = {}): object => ({ type: 'forward-internal', config: { url, ...more } });

describe('forward-internal', () => {
  it('goes where the url says', async () => {
    const { outcome } = await run(R, [{ actions: [forward('https://app.internal:8443', { binding: 'internal' })] }]);
    const url = 'https://app.internal:8443';
    const to = { scheme: 'https', host: 'app.internal', port: 8443, url };
    expect(outcome).toEqual({ kind: 'forward', to, onError: 'halt' });
  });

  it('reads a constant url once: every request is given the same address', async () => {
    const phase = compilePolicy(rule(R, forward('https://app.internal')), AGENT).onHttpRequest;
    const first = await phase?.start(makeContext()).next();
    expect(first).toMatchObject({ kind: 'forward', to: { host: 'app.internal', port: 443 } });
    expect(await phase?.start(makeContext()).next()).toBe(first);
  });

  it('finds its target at run time', async () => {
    const facts = { headers: [['x-service', 'orders']] as const };
    const rules = [
      { actions: [forward("https://${getReqHeader('x-service')[0]}.internal", { on_error: 'continue' })] },
    ];
    expect((await run(R, rules, facts)).outcome).toEqual({
      kind: 'forward',
      to: { scheme: 'https', host: 'orders.internal', port: 443, url: 'https://orders.internal' },
      onError: 'continue',
    });
    expect((await run(R, rules)).outcome).toMatchObject({ kind: 'error', error: { number: 2238 } });
    const outside = { headers: [['x-service', 'evil.example/']] as const };
    expect((await run(R, rules, outside)).outcome).toMatchObject({ kind: 'error', error: { number: 2226 } });
  });

  it.each([
    ['app.internal', 'https app.internal 443 https://app.internal'],
    ['http://app.internal/', 'http app.internal 80 http://app.internal'],
    ['HTTPS://App.internal', 'https app.internal 443 https://App.internal'],
    ['https://app.internal:80', 'https app.internal 80 https://app.internal:80'],
    ['http://app.internal:8080/', 'http app.internal 8080 http://app.internal:8080'],
    ['https://bücher.internal', 'https xn--bcher-kva.internal 443 https://bücher.internal'],
  ])('reads %s', (written, expected) => {
    const target = forwardTarget(written, R, 'https');
    expect('problem' in target ? target : Object.values(target).join(' ')).toBe(expected);
  });

  it.each([
    ['https://app.example.com', /\.internal/],
    ['ftp://app.internal', /begin with/],
    ['https://u:p@app.internal', /user name/],
    ['https://app.internal/path', /path/],
    ['https://app.internal:99999', /parse/],
    ['https://app.internal:', /parse/],
    ['https://app.internal?', /parse/],
    ['https://app.in\tternal', /parse/],
    ['tcp://app.internal:1', /http and https only/],
    ['', /.*/],
  ])('refuses %s', (written, words) => {
    expect(forwardTarget(written, R, 'https')).toMatchObject({ problem: expect.stringMatching(words) });
  });

  it('keeps to the protocols of the endpoint', () => {
    expect(forwardTarget('tcp://db.internal:5432', 'on_tcp_connect', 'tcp')).toHaveProperty('url');
    expect(forwardTarget('tls://db.internal', 'on_tcp_connect', 'tls')).toHaveProperty('url');
    expect(forwardTarget('https://db.internal', 'on_tcp_connect', 'tcp')).toHaveProperty('problem');
    expect(forwardTarget('db.internal:1', 'on_tcp_connect', 'tcp')).toMatchObject({
      scheme: 'tcp',
      port: 1,
    });
    expect(forwardTarget('tls://db.internal', 'on_tcp_connect', 'tls')).toMatchObject({ port: 443 });
    expect(forwardTarget('tcp://db.internal', 'on_tcp_connect', 'tcp')).toEqual({ problem: 'a tcp URL needs a port' });
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
