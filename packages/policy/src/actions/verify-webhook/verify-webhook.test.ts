import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { BodyProblem } from '../../runtime.ts';
import { checkDocument } from '../../schema/check.ts';
import { makeContext, NOW, type Facts } from '../../testing/context.ts';
import { AGENT, bodyOf, refusal, rule, run, show } from '../../testing/run.ts';
import { compilePolicy, type Outcome } from '../../index.ts';
import { send } from './testing.ts';

const R = 'on_http_request';
const verify = (config: object): object => ({ actions: [{ type: 'verify-webhook', config }] });
const github = { provider: 'github', secret: 'a secret' };
const outcomeOf = async (config: object, facts: Facts): Promise<Outcome> =>
  (await run(R, [verify(config)], facts)).outcome;
const hmac = (secret: string, text: string, encoding: 'hex' | 'base64'): string =>
  createHmac('sha256', secret).update(text).digest(encoding);

describe('verify-webhook', () => {
  it('refuses what is not signed, without saying why', async () => {
    const missing = await outcomeOf(github, { method: 'POST', body: 'x' });
    const wrong = await outcomeOf(github, { headers: [['x-hub-signature-256', 'sha256=00']], body: 'x' });
    expect(missing).toMatchObject({ kind: 'error', error: { number: 3204, status: 403 } });
    expect(wrong).toEqual(missing);
    expect((await outcomeOf(github, send('github', NOW))).kind).toBe('continue');
  });

  it('can only look', async () => {
    const text = '${actions.ngrok.verify_webhook.verified} ${actions.ngrok.verify_webhook.error.code}';
    const rules = [verify({ ...github, enforce: 'false' }), show(text)];
    expect(bodyOf((await run(R, rules, { body: 'x' })).outcome)).toBe('false ERR_NGROK_3204');
    expect(bodyOf((await run(R, rules, send('github', NOW))).outcome)).toBe('true ');
  });

  it('fills in the secret, and one that is missing lets nobody in', async () => {
    const dynamic = { provider: 'github', secret: '${getReqHeader("x-secret")[0]}' };
    const { headers, ...sent } = send('github', NOW);
    const shown = (secret: string): Facts => ({ ...sent, headers: [...headers, ['x-secret', secret]] });
    expect((await outcomeOf(dynamic, shown('a secret'))).kind).toBe('continue');
    expect(await outcomeOf(dynamic, shown('another'))).toMatchObject({ kind: 'error', error: { number: 3204 } });
    expect(await outcomeOf(dynamic, { ...sent, headers })).toMatchObject({ kind: 'error', error: { number: 2238 } });
    // A signature by the empty secret is anybody's.
    const empty = `sha256=${hmac('', sent.body.toString('utf8'), 'hex')}`;
    const facts = {
      ...sent,
      headers: [
        ['x-hub-signature-256', empty],
        ['x-secret', ''],
      ],
    } as const;
    expect(await outcomeOf(dynamic, facts)).toMatchObject({ kind: 'error', error: { number: 2238 } });
    const notWhsec = await outcomeOf({ ...dynamic, provider: 'svix' }, shown('!'));
    expect(notWhsec).toMatchObject({ kind: 'error', error: { number: 2238 } });
  });

  it('says why it has no body', async () => {
    const signed = {
      headers: [['x-hub-signature-256', 'sha256=00']],
      body: Buffer.alloc(8 * 1024 * 1024 + 1),
    } as const;
    expect(await outcomeOf(github, signed)).toMatchObject({ kind: 'error', error: { number: 3902, status: 413 } });
    expect((await outcomeOf({ ...github, enforce: false }, signed)).kind).toBe('continue');
    const problems: [BodyProblem, number, number][] = [
      ['too-slow', 90_060, 408],
      ['no-room', 3903, 503],
      ['gone', 3903, 503],
    ];
    for (const [problem, number, status] of problems) {
      const { req, ...context } = makeContext(signed);
      if (req === null) throw new Error('there is no request');
      req.readBody = () => Promise.resolve(problem);
      const phase = compilePolicy({ [R]: [verify(github)] }, AGENT).onHttpRequest;
      expect(await phase?.start({ ...context, req }).next()).toMatchObject({ error: { number, status } });
    }
  });

  it('says what is wrong with its config', () => {
    const problem = (config: object): string => refusal(rule(R, { type: 'webhook-validation', config }));
    const at = String.raw`on_http_request\[0\]\.actions\[0\]\.config`;
    expect(problem({ ...github, provider: 'githup' })).toMatch(
      new RegExp(`^2222 ${at}\\.provider: "githup" is not one of aftership, airship, .*, zoom`),
    );
    expect(problem({ ...github, provider: 'orbit' })).toMatch(new RegExp(`^90030 ${at}\\.provider: .*orbit`));
    expect(problem({ secret: 'x' })).toMatch(/^2234 .*"provider"/);
    expect(problem({ provider: 'github' })).toMatch(/^2234 .*"secret"/);
    expect(problem({ provider: 'github', secret: '' })).toMatch(/^2223 .*config\.secret/);
    expect(problem({ ...github, secret: '${req.foo}' })).toMatch(/^2224 .*config\.secret/);
    expect(problem({ ...github, enforce: 'x' })).toMatch(/^2204 .*config\.enforce/);
    expect(problem({ ...github, tolerance: 1 })).toMatch(/^2203 .*config\.tolerance/);
    expect(problem({ provider: 'svix', secret: 'whsec_!' })).toMatch(/^2204 .*config\.secret: .*whsec_/);
    expect(problem({ provider: 'clerk', secret: 'whsec_' })).toMatch(/^2204 .*config\.secret/);
    expect(problem({ provider: 'microsoft_teams', secret: 'a b' })).toMatch(/^2204 .*base64/);
    expect(problem({ provider: 'sendgrid', secret: 'MFkw' })).toMatch(/^2204 .*public key/);
    expect(problem({ provider: 'vmware', secret: 'user:password' })).toMatch(/^2204 .*username::password/);
    expect(refusal(rule('on_http_response', { type: 'verify-webhook', config: github }))).toMatch(/^2202 /);
  });

  it.each(['signalsciences', 'sonatype_nexus', 'vmware_workspace'])('knows %s', (provider) => {
    expect(refusal({ [R]: [verify({ provider, secret: 'user::password' })] })).toBe('accepted');
    expect(() => checkDocument({ [R]: [verify({ provider, secret: 's' })] }, { protocol: 'https' })).not.toThrow();
  });
});

describe('challenges', () => {
  it('twitter asks for the HMAC of a token', async () => {
    const config = { provider: 'twitter', secret: 's' };
    const answer = await outcomeOf(config, { target: '/in?crc_token=abc-DEF_1&nonce=x' });
    expect(answer).toMatchObject({ kind: 'respond', status: 200 });
    expect(JSON.parse(bodyOf(answer))).toEqual({ response_token: `sha256=${hmac('s', 'abc-DEF_1', 'base64')}` });
    // Signing whatever is asked for would sign messages.
    for (const target of ['/in?crc_token=%7B%22a%22:1%7D', '/in?crc_token=', '/in', '/']) {
      expect(await outcomeOf(config, { target })).toMatchObject({ kind: 'error', error: { number: 3204 } });
    }
    expect((await outcomeOf(config, { method: 'POST', target: '/in?crc_token=abc' })).kind).toBe('error');
  });

  it('worldline asks for an echo', async () => {
    const config = { provider: 'worldline', secret: 's' };
    const headers = [['X-GCS-Webhooks-Endpoint-Verification', 'a-b c']] as const;
    const answer = await outcomeOf(config, { headers });
    expect(answer).toMatchObject({ kind: 'respond', status: 200 });
    expect(bodyOf(answer)).toBe('a-b c');
    expect((await outcomeOf(config, { method: 'POST', headers })).kind).toBe('error');
    expect((await outcomeOf(config, {})).kind).toBe('error');
  });

  it('xero tells right from wrong signatures by 200 and 401', async () => {
    const config = { provider: 'xero', secret: 's' };
    const body = '{"events":[],"firstEventSequence":0,"lastEventSequence":0,"entropy":"S0m3r4Nd0mt3xt"}';
    const signed = (secret: string, text = body): Facts => ({
      method: 'POST',
      body: text,
      headers: [['x-xero-signature', hmac(secret, text, 'base64')]],
    });
    expect(await outcomeOf(config, signed('s'))).toMatchObject({ kind: 'respond', status: 200 });
    expect(await outcomeOf(config, signed('t'))).toMatchObject({ kind: 'respond', status: 401 });
    expect((await outcomeOf({ ...config, enforce: false }, signed('t'))).kind).toBe('continue');
    expect((await outcomeOf(config, signed('s', '{"events":[{}]}'))).kind).toBe('continue');
    expect((await outcomeOf(config, signed('t', '{"events":[{}]}'))).kind).toBe('error');
  });

  it('zoom asks for the HMAC of a token, in a signed message', async () => {
    const config = { provider: 'zoom', secret: 's' };
    const ask = (plainToken: unknown, secret = 's'): Facts => {
      const body = JSON.stringify({ event: 'endpoint.url_validation', payload: { plainToken } });
      const at = String(NOW / 1000);
      return {
        method: 'POST',
        body,
        headers: [
          ['x-zm-request-timestamp', at],
          ['x-zm-signature', `v0=${hmac(secret, `v0:${at}:${body}`, 'hex')}`],
        ],
      };
    };
    const answer = await outcomeOf(config, ask('qgg8vlvZRS6UYooatFL8Aw'));
    expect(JSON.parse(bodyOf(answer))).toEqual({
      plainToken: 'qgg8vlvZRS6UYooatFL8Aw',
      encryptedToken: hmac('s', 'qgg8vlvZRS6UYooatFL8Aw', 'hex'),
    });
    expect((await outcomeOf(config, ask('qgg8vlvZRS6UYooatFL8Aw', 't'))).kind).toBe('error');
    expect((await outcomeOf(config, ask('v0:1:x'))).kind).toBe('continue');
    expect((await outcomeOf(config, ask(7))).kind).toBe('continue');
  });
});
