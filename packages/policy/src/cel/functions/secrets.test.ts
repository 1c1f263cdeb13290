import { describe, expect, it } from 'vitest';
import type { Facts } from '../../testing/context.ts';
import { bodyOf, refusal, run, show } from '../../testing/run.ts';

const R = 'on_http_request';
const when = (expression: string): object => ({ expressions: [expression], actions: [{ type: 'deny' }] });

function withSecrets(secrets: Map<string, string>): Facts {
  const secret = (...names: string[]): string | null => secrets.get(names.join(' ')) ?? null;
  return { services: { resources: { secret, ipPolicy: () => null, certificateAuthority: () => null } } };
}

describe('secrets.get', () => {
  const secrets = new Map([['ac_1 vault name', 'first']]);
  const facts = withSecrets(secrets);
  const rules = [show('${secrets.get("vault", "name")}')];

  it('gives what the account of the endpoint has, anew each time', async () => {
    expect(bodyOf((await run(R, rules, facts)).outcome)).toBe('first');
    secrets.set('ac_1 vault name', 'second');
    expect(bodyOf((await run(R, rules, facts)).outcome)).toBe('second');
    expect((await run(R, [when('secrets.get("vault", "name") == "second"')], facts)).outcome.kind).toBe('respond');
  });

  it('takes names that only the request knows', async () => {
    const dynamic = [show('${secrets.get("vault", getReqHeader("x-tenant")[0])}')];
    const asked = { ...facts, headers: [['x-tenant', 'name']] as const };
    expect(bodyOf((await run(R, dynamic, asked)).outcome)).toBe('second');
  });

  it('fails where there is none: text is not filled in, and a rule is passed over with a warning', async () => {
    const { outcome } = await run(R, [show('${secrets.get("vault", "other")}')], facts);
    expect(outcome).toMatchObject({ kind: 'error', error: { number: 2238 } });
    const { outcome: passed, context } = await run(R, [when('secrets.get("other", "name") != ""')], facts);
    expect(passed.kind).toBe('continue');
    expect(context.warnings).toEqual([expect.stringMatching(/failed, so the rule was passed over: .*no secret/)]);
  });

  it.each(['secrets.get("vault")', 'secrets.get("vault", 1) == ""', 'secrets.get(["vault"], "name") == ""'])(
    'is refused when written as %s',
    (expression) => {
      expect(refusal({ on_http_request: [when(expression)] })).toMatch(/^2200 .*secrets\.get/);
    },
  );
});
