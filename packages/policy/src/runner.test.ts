import { fail } from '@postern/errors';
import { describe, expect, it } from 'vitest';
import { compilePolicy, type Outcome } from './index.ts';
import { makeContext } from './testing/context.ts';
import { AGENT, bodyOf, phaseOf, run, show } from './testing/run.ts';

const R = 'on_http_request';
const S = 'on_http_response';
const HASH = '$2b$04$abcdefghijklmnopqrstuu5Lo0g67CiD3M4RpN1BmBb4Crp5w7dbK';

describe('rules', () => {
  it('run from the top; the first that ends the phase wins', async () => {
    const rules = [
      { expressions: ["req.method == 'POST'"], actions: [{ type: 'deny', config: { status_code: 405 } }] },
      {
        expressions: ["req.url.path == '/a'", "req.method == 'GET'"],
        actions: [{ type: 'deny', config: { status_code: 404 } }],
      },
      { actions: [{ type: 'deny' }] },
    ];
    expect((await run(R, rules, { method: 'POST', target: '/a' })).outcome).toMatchObject({ status: 405 });
    expect((await run(R, rules, { target: '/a?x' })).outcome).toMatchObject({ kind: 'respond', status: 404 });
    expect((await run(R, rules, { target: '/b' })).outcome).toMatchObject({ status: 403 });
    expect((await run(R, rules.slice(0, 2), { target: '/b' })).outcome).toEqual({ kind: 'continue' });
  });

  it('see what earlier actions did', async () => {
    const { outcome } = await run(R, [
      { actions: [{ type: 'add-headers', config: { headers: { 'x-a': '1' } } }] },
      { expressions: ["req.headers['x-a'][0] == '1'"], actions: [{ type: 'deny', config: { status_code: 418 } }] },
    ]);
    expect(outcome).toMatchObject({ status: 418 });
  });

  it('that fail do not match, and say so', async () => {
    const { outcome, context } = await run(R, [
      { expressions: ["req.headers['authorization'][0] == 'x'"], actions: [{ type: 'deny' }] },
      { expressions: ['vars.nothing'], actions: [{ type: 'deny' }] },
    ]);
    expect(outcome).toEqual({ kind: 'continue' });
    expect(context.warnings).toEqual([
      expect.stringMatching(/^on_http_request\[0\]\.expressions\[0\] failed.*no such key/),
      expect.stringMatching(/^on_http_request\[1\]\.expressions\[0\] failed.*neither true nor false/),
    ]);
  });

  it('are bounded in steps', async () => {
    const big = `[${Array(100).fill(1).join(',')}]`;
    const { outcome } = await run(R, [
      { expressions: [`${big}.all(a, ${big}.all(b, ${big}.all(c, true)))`], actions: [{ type: 'deny' }] },
    ]);
    // A rule that was not judged is not passed over: it may be the one that denies.
    expect(outcome).toMatchObject({ kind: 'error', error: { number: 90034, status: 500 } });
  });

  it('are bounded over all phases of a request together', async () => {
    const { work } = makeContext({});
    const atFirst = work.unitsLeft;
    const many = `[${Array(100).fill(1).join(',')}]`;
    const phase = compilePolicy(
      { [R]: [{ expressions: [`${many}.all(a, ${many}.all(b, a == b))`], actions: [{ type: 'deny' }] }] },
      AGENT,
    ).onHttpRequest;
    const outcomes: Outcome[] = [];
    const spent: number[] = [];
    while (outcomes.at(-1)?.kind !== 'error' && outcomes.length < 1_000) {
      const before = work.unitsLeft;
      const outcome = await phase?.start({ ...makeContext({}), work }).next();
      if (outcome !== undefined) outcomes.push(outcome);
      spent.push(before - work.unitsLeft);
    }
    expect(outcomes[0]).toMatchObject({ kind: 'respond', status: 403 });
    expect(outcomes.at(-1)).toMatchObject({ kind: 'error', error: { number: 90034 } });
    expect(outcomes.length).toBe(Math.floor(atFirst / (spent[0] ?? 0)) + 1);
  });
});

describe('the cursor', () => {
  const forward = { type: 'forward-internal', config: { url: 'https://a.internal', on_error: 'continue' } };

  it('goes on behind a forward that failed, and shows why', async () => {
    const policy = compilePolicy(
      {
        [R]: [
          { actions: [forward] },
          show('${actions.ngrok.forward_internal.error.code} ${actions.ngrok.forward_internal.url}'),
        ],
      },
      AGENT,
    );
    const cursor = policy.onHttpRequest?.start(makeContext());
    expect(cursor?.next()).toEqual({
      kind: 'forward',
      to: { scheme: 'https', host: 'a.internal', port: 443, url: 'https://a.internal' },
      onError: 'continue',
    });
    const next = await cursor?.forwardFailed(fail(2300, { type: 'x' }));
    expect(next === undefined ? '' : bodyOf(next)).toBe('ERR_NGROK_2300 https://a.internal');
  });

  it('ends with the error of a forward that may not fail', async () => {
    const halt = { type: 'forward-internal', config: { url: 'https://a.internal' } };
    const cursor = phaseOf(compilePolicy({ [R]: [{ actions: [halt] }, show('x')] }, AGENT), R)?.start(makeContext());
    expect(cursor?.next()).toMatchObject({ kind: 'forward', onError: 'halt' });
    expect(await cursor?.forwardFailed(fail(2300, { type: 'x' }))).toMatchObject({
      kind: 'error',
      error: { number: 2300 },
    });
    expect(cursor?.next()).toEqual({ kind: 'continue' });
  });

  it('stays synchronous until an action waits, and goes on behind it', async () => {
    const policy = compilePolicy(
      {
        [R]: [
          { actions: [{ type: 'add-headers', config: { headers: { 'x-a': '1' } } }] },
          { actions: [{ type: 'basic-auth', config: { credentials: [`u:{bcrypt}${HASH}`], enforce: false } }] },
          show('${req.headers["x-a"][0]} ${actions.ngrok.basic_auth.credentials.authorized}'),
        ],
      },
      AGENT,
    );
    expect(policy.onHttpRequest?.start(makeContext()).next()).not.toBeInstanceOf(Promise);
    const token = Buffer.from('u:wrong password').toString('base64');
    const waiting = policy.onHttpRequest?.start(makeContext({ headers: [['authorization', `Basic ${token}`]] })).next();
    expect(waiting).toBeInstanceOf(Promise);
    expect(bodyOf((await waiting) ?? { kind: 'continue' })).toBe('1 false');
  });

  it('shows results of the request phase to the response phase, and makes none that nobody reads', async () => {
    const restrict = { actions: [{ type: 'restrict-ips', config: { allow: ['203.0.113.0/24'] } }] };
    const unread = makeContext();
    await compilePolicy({ [R]: [restrict] }, AGENT)
      .onHttpRequest?.start(unread)
      .next();
    expect(unread.results).toBeNull();

    const policy = compilePolicy({ [R]: [restrict], [S]: [show('${actions.ngrok.restrict_ips.matched_cidr}')] }, AGENT);
    const context = makeContext({ status: 200 });
    await policy.onHttpRequest?.start(context).next();
    const outcome = await policy.onHttpResponse?.start(context).next();
    expect(bodyOf(outcome ?? { kind: 'continue' })).toBe('203.0.113.0/24');
  });

  it('turns an action that breaks into an error page', async () => {
    const policy = compilePolicy(
      { [R]: [{ actions: [{ type: 'remove-headers', config: { headers: ['x'] } }] }] },
      AGENT,
    );
    const context = makeContext();
    const broken = {
      ...context,
      get req(): never {
        throw new Error('boom');
      },
    };
    expect(await policy.onHttpRequest?.start(broken).next()).toMatchObject({ kind: 'error', error: { number: 2300 } });
  });
});
