import { describe, expect, it } from 'vitest';
import { CidrSet } from '../../net/cidr.ts';
import type { IpPolicy } from '../../services.ts';
import { bodyOf, refusal, rule, run, show } from '../../testing/run.ts';

const R = 'on_http_request';
const restrict = (config: object): object => ({ actions: [{ type: 'restrict-ips', config }] });
const passes = async (config: object, clientIp: string): Promise<boolean> =>
  (await run(R, [restrict(config)], { clientIp })).outcome.kind === 'continue';

const problem = (config: object): string => refusal(rule(R, { type: 'restrict-ips', config }));

describe('restrict-ips', () => {
  it('lets in who is allowed and not denied', async () => {
    const config = { allow: ['203.0.113.0/24', '2001:db8::/32', '198.51.100.42'], deny: ['203.0.113.128/25'] };
    expect(await passes(config, '203.0.113.7')).toBe(true);
    expect(await passes(config, '203.0.113.200')).toBe(false);
    expect(await passes(config, '198.51.100.42')).toBe(true);
    expect(await passes(config, '198.51.100.43')).toBe(false);
    expect(await passes(config, '2001:db8::1')).toBe(true);
    expect(await passes(config, '::ffff:203.0.113.7')).toBe(true);
    expect(await passes(config, '2001:db9::1')).toBe(false);
  });

  it('lets in everybody who is not denied when nothing is allowed by name', async () => {
    expect(await passes({ deny: ['10.0.0.0/8'] }, '11.0.0.1')).toBe(true);
    expect(await passes({ deny: ['10.0.0.0/8'] }, '10.0.0.1')).toBe(false);
  });

  it('refuses with 403 and a code, and closes a connection without request', async () => {
    const rules = [restrict({ allow: ['10.0.0.0/8'] })];
    expect((await run(R, rules)).outcome).toMatchObject({ kind: 'error', error: { number: 3203, status: 403 } });
    expect((await run('on_http_response', rules)).outcome).toMatchObject({ error: { number: 3203 } });
    expect((await run('on_tcp_connect', rules)).outcome).toEqual({ kind: 'close' });
  });

  it('never looks at forwarded headers', async () => {
    const facts = { clientIp: '192.0.2.1', headers: [['x-forwarded-for', '10.0.0.1']] as const };
    expect((await run(R, [restrict({ allow: ['10.0.0.0/8'] })], facts)).outcome.kind).toBe('error');
  });

  it('can only look', async () => {
    const text =
      '${actions.ngrok.restrict_ips.action} ${actions.ngrok.restrict_ips.matched_cidr} ${actions.ngrok.restrict_ips.error.code}';
    const config = { enforce: false, allow: ['203.0.0.0/8', '203.0.113.0/24'], deny: ['192.0.2.0/24'] };
    expect(bodyOf((await run(R, [restrict(config), show(text)])).outcome)).toBe('allow 203.0.113.0/24 ');
    const denied = await run(R, [restrict(config), show(text)], { clientIp: '192.0.2.1' });
    expect(bodyOf(denied.outcome)).toBe('deny 192.0.2.0/24 ERR_NGROK_3203');
  });

  it('takes ranges that only the request knows', async () => {
    const rules = [restrict({ allow: ['${req.headers["x-range"][0]}'] })];
    expect((await run(R, rules, { headers: [['x-range', '203.0.113.0/24']] })).outcome.kind).toBe('continue');
    expect((await run(R, rules, { headers: [['x-range', '10.0.0.0/8']] })).outcome).toMatchObject({
      error: { number: 3203 },
    });
    expect((await run(R, rules)).outcome).toMatchObject({ error: { number: 2238 } });
  });

  it('adds the rules of IP policies of the account, as they are now', async () => {
    const policies = new Map<string, IpPolicy>();
    const ipPolicy = (account: string, id: string): IpPolicy | null => policies.get(`${account} ${id}`) ?? null;
    const services = { resources: { secret: () => null, certificateAuthority: () => null, ipPolicy } };
    const put = (id: string, allow: string[], deny: string[] = []): void => {
      policies.set(`ac_1 ${id}`, { allow: new CidrSet(allow), deny: new CidrSet(deny) });
    };
    const from = async (clientIp: string, config: object): Promise<unknown> => {
      const { outcome } = await run(R, [restrict(config)], { clientIp, services });
      return outcome.kind === 'error' ? outcome.error.number : outcome.kind;
    };
    put('ipp_a', ['10.0.0.0/8'], ['10.6.6.0/24']);
    put('ipp_b', ['192.0.2.0/24']);
    const both = { ip_policies: ['ipp_a', 'ipp_b'], allow: ['10.6.6.0/24', '198.51.100.1'] };
    expect(await from('10.1.1.1', both)).toBe('continue');
    expect(await from('192.0.2.1', both)).toBe('continue');
    expect(await from('198.51.100.1', both)).toBe('continue');
    expect(await from('10.6.6.1', both)).toBe(3203);
    expect(await from('203.0.113.1', both)).toBe(3203);
    put('ipp_b', []);
    expect(await from('192.0.2.1', both)).toBe(3203);
    // Without rules, or with ones that deny only, it opens nothing.
    put('ipp_c', [], ['10.0.0.0/8']);
    expect(await from('192.0.2.1', { ip_policies: ['ipp_c'] })).toBe(3203);
    expect(await from('192.0.2.1', { ip_policies: ['ipp_c'], allow: ['0.0.0.0/0'] })).toBe('continue');
    expect(await from('192.0.2.1', { ip_policies: ['ipp_gone'], allow: ['0.0.0.0/0'] })).toBe(2216);
  });

  it('says what is wrong with its config', () => {
    expect(problem({ allow: ['1.2.3.4/33'] })).toMatch(/^2217 .*config\.allow\[0\]: "1\.2\.3\.4\/33"/);
    expect(problem({ ip_policies: ['10.0.0.0/8'] })).toMatch(/^2216 .*config\.ip_policies\[0\]: .*10\.0\.0\.0/);
    expect(problem({ enforce: 'maybe' })).toMatch(/^2204 .*config\.enforce: true or false/);
    expect(problem({ enforce: 'false', deny: '10.0.0.0/8' })).toBe('accepted');
  });
});
