import { describe, expect, it } from 'vitest';
import { refusal, rule, run } from '../../testing/run.ts';

const denial = (config?: object) => [{ actions: [{ type: 'deny', ...(config === undefined ? {} : { config }) }] }];

describe('deny and close-connection', () => {
  it('answer with a status and nothing else', async () => {
    expect((await run('on_http_request', denial())).outcome).toEqual({
      kind: 'respond',
      status: 403,
      headers: [],
      body: Buffer.alloc(0),
      denied: true,
    });
    expect((await run('on_http_request', denial({ status_code: 404 }))).outcome).toMatchObject({ status: 404 });
  });

  it('close what has no request yet', async () => {
    expect((await run('on_tcp_connect', denial())).outcome).toEqual({ kind: 'close' });
    const close = [{ actions: [{ type: 'close-connection' }] }];
    expect((await run('on_tcp_connect', close)).outcome).toEqual({ kind: 'close' });
    expect((await run('on_http_request', close)).outcome).toEqual({ kind: 'close' });
  });

  it('have no other fields', () => {
    expect(refusal(rule('on_http_request', { type: 'close-connection', config: { x: 1 } }))).toMatch(
      /^2203 .*config\.x: /,
    );
    expect(refusal(rule('on_http_request', { type: 'deny', config: { status_code: 99 } }))).toMatch(/^2215 /);
  });
});
