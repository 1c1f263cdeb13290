import { describe, expect, it } from 'vitest';
import type { PolicyEvent } from '../../services.ts';
import type { Facts } from '../../testing/context.ts';
import { bodyOf, refusal, rule, run, show } from '../../testing/run.ts';

const R = 'on_http_request';
const log = (metadata: unknown): object => ({ type: 'log', config: { metadata } });

async function told(metadata: object, facts: Facts = {}, phase: typeof R | 'on_http_response' | 'on_tcp_connect' = R) {
  const events: PolicyEvent[] = [];
  const services = { events: { emit: (event: PolicyEvent) => void events.push(event) } };
  const { outcome, context } = await run(phase, [{ actions: [log(metadata)] }], { ...facts, services });
  return { events, outcome, warnings: context.warnings };
}

describe('log', () => {
  it('tells what its metadata says, kinds kept, and goes on', async () => {
    const metadata = {
      who: 'from ${conn.client_ip}',
      'a.b': ['${1 + 1}', { c: '${req.method}' }],
      n: 7,
      none: "${req.headers['x-none'][0]}",
      code: '${actions.ngrok.restrict_ips.error.code}',
    };
    const { events, outcome, warnings } = await told(metadata);
    expect(outcome.kind).toBe('continue');
    expect(warnings).toEqual([]);
    expect(events).toEqual([
      {
        type: 'log',
        endpointId: 'ep_1',
        fields: {
          phase: R,
          metadata: { who: 'from 203.0.113.7', 'a.b': [2, { c: 'GET' }], n: 7, none: '', code: null },
        },
      },
    ]);
  });

  it('tells in every phase', async () => {
    for (const phase of ['on_tcp_connect', 'on_http_response'] as const) {
      const { events } = await told({ a: '${conn.client_port}' }, {}, phase);
      expect(events[0]?.fields).toEqual({ phase, metadata: { a: 50_123 } });
    }
  });

  it('ends no request for what it cannot tell', async () => {
    const { events, outcome, warnings } = await told({ a: '${1 / req.content_length}', b: 'there' });
    expect(outcome.kind).toBe('continue');
    expect(events[0]?.fields).toEqual({ phase: R, metadata: { a: null, b: 'there' } });
    expect(warnings).toEqual([
      expect.stringMatching(/^on_http_request\[0\]\.actions\[0\]\.config\.metadata\.a could not/),
    ]);

    const long = await told({ a: "${req.headers['x'][0]}" }, { headers: [['x', 'y'.repeat(9_000)]] });
    expect(long.events[0]?.fields).toEqual({ phase: R, metadata: null, problem: 'its JSON has 9008 characters' });
  });

  it('costs what it makes', async () => {
    const { events, outcome } = await told({ a: '${lists.range(9999).map(i, lists.range(999))}' });
    expect(outcome).toMatchObject({ kind: 'error', error: { number: 90_034 } });
    expect(events).toEqual([]);
  });

  it('shows what it has told', async () => {
    const actions = [log({ a: '${1 + 1}' })];
    const { outcome } = await run(R, [{ actions }, show('${actions.ngrok.log.metadata.a + 1}')]);
    expect(bodyOf(outcome)).toBe('3');
  });

  it('is refused without metadata, or with too much of it', () => {
    const config = (metadata: unknown): string => refusal(rule(R, log(metadata)));
    expect(refusal(rule(R, { type: 'log' }))).toMatch(/^2234 .*"metadata"/);
    expect(config('text')).toMatch(/^2204 .*config\.metadata: /);
    expect(config(Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`n${at}`, 1])))).toMatch(/^2218 /);
    expect(config({ ['x'.repeat(1025)]: 1 })).toMatch(/^2221 /);
    expect(config({ a: { b: '${nothing}' } })).toMatch(/^2224 .*config\.metadata\.a\.b: /);
  });
});
