import { describe, expect, it } from 'vitest';
import { createFirewall } from '../engine.ts';
import { compileRules } from '../rules/compile.ts';
import { judge, matching, messageOf, SETUP } from '../testing/judge.ts';

const RULES = `${SETUP}
SecRule ARGS|ARGS_NAMES|REQUEST_COOKIES "@rx (?i)union\\s+select" "id:942001,phase:2,block,capture,t:none,t:urlDecodeUni,\\
    msg:'SQL',logdata:'%{TX.0} in %{MATCHED_VAR_NAME}',severity:'CRITICAL',tag:'attack-sqli',\\
    setvar:'tx.anomaly_score=+%{tx.critical}'"
SecRule TX:anomaly_score "@ge %{tx.inbound_anomaly_score_threshold}" "id:949001,phase:2,deny,t:none,msg:'Score %{TX.anomaly_score}'"
`;

describe('anomaly scores', () => {
  it('deny from the threshold on, and tell what matched', () => {
    expect(judge(RULES, { target: '/?id=1%20UNION%20%20SELECT%20x' })).toMatchObject({
      denied: true,
      score: 5,
      threshold: 5,
      problem: null,
      matched: [
        { id: 942001, message: 'SQL', severity: 'critical', data: 'UNION  SELECT in ARGS:id' },
        { id: 949001, message: 'Score 5' },
      ],
    });
    expect(judge(RULES, { target: '/?id=1' })).toMatchObject({ denied: false, score: 0, matched: [] });
  });

  it('count every value that matches', () => {
    const target = '/?a=union%20select&b=union%20select';
    expect(judge(RULES, { target, headers: [['Cookie', 'c=union select; d=e']] }).score).toBe(15);
  });

  it('leave out rules that an action excludes', () => {
    const set = compileRules([{ name: 'a.conf', text: RULES }], () => null);
    const firewall = createFirewall(set, () => 0);
    const verdict = firewall.judgeRequest(messageOf({ target: '/?id=union+select' }), {
      excluded: new Set([942001]),
      units: 1_000_000,
    });
    expect(verdict).toMatchObject({ denied: false, score: 0 });
  });
});

describe('chains', () => {
  it('match as a whole, and run what each rule of them writes down', () => {
    const rules = `
SecRule REQUEST_METHOD "@streq POST" "id:1,phase:1,pass,nolog,chain,setvar:tx.begun=1"
    SecRule &REQUEST_HEADERS:Content-Length "@eq 0" "chain"
    SecRule REQUEST_URI "!@beginsWith /free" "setvar:tx.seen=%{MATCHED_VAR}"
SecRule TX:begun "@eq 1" "id:2,phase:1"
SecRule TX:seen "@streq /a" "id:3,phase:1"`;
    expect(matching(rules, { method: 'POST', target: '/a' })).toEqual([2, 3]);
    expect(matching(rules, { method: 'POST', target: '/free/a' })).toEqual([2]);
    expect(matching(rules, { method: 'POST', target: '/a', headers: [['Content-Length', '0']] })).toEqual([2]);
    expect(matching(rules, { target: '/a' })).toEqual([]);
  });
});

describe('the way through the rules', () => {
  it('skips to markers and over rules, within a phase', () => {
    const rules = `
SecRule REQUEST_URI "@contains skip" "id:1,phase:1,pass,nolog,skipAfter:END"
SecAction "id:2,phase:1"
SecAction "id:3,phase:2"
SecMarker "END"
SecRule REQUEST_URI "@contains hop" "id:4,phase:1,nolog,skip:1"
SecAction "id:5,phase:1"
SecAction "id:6,phase:1"`;
    expect(matching(rules, { target: '/skip' })).toEqual([5, 6, 3]);
    expect(matching(rules, { target: '/hop' })).toEqual([2, 6, 3]);
  });

  it('ends where a rule allows or denies', () => {
    const rest = '\nSecAction "id:8,phase:1"\nSecAction "id:9,phase:2"';
    expect(matching(`SecAction "id:1,phase:1,allow,nolog"${rest}`)).toEqual([]);
    expect(matching(`SecAction "id:1,phase:1,allow:phase,nolog"${rest}`)).toEqual([9]);
    expect(judge(`SecAction "id:1,phase:1,deny,nolog"${rest}`)).toMatchObject({ denied: true, matched: [] });
    expect(matching(`SecAction "id:1,phase:1,nolog,ctl:ruleEngine=Off"${rest}`)).toEqual([]);
  });

  it('leaves out what rules take away for one message', () => {
    const rules = (ctl: string): string => `
SecRule REQUEST_URI "@beginsWith /quiet" "id:1,phase:1,pass,nolog,ctl:${ctl}"
SecRule ARGS "@contains x" "id:2,phase:2,tag:'t',msg:'m'"
SecRule ARGS "@contains x" "id:3,phase:2"`;
    const of = (ctl: string, target: string): number[] => matching(rules(ctl), { target });
    expect(of('ruleRemoveById=2', '/quiet?a=x')).toEqual([3]);
    expect(of('ruleRemoveById=2', '/loud?a=x')).toEqual([2, 3]);
    expect(of('ruleRemoveByTag=t', '/quiet?a=x')).toEqual([3]);
    expect(of('ruleRemoveByMsg=m', '/quiet?a=x')).toEqual([3]);
    expect(of('ruleRemoveTargetById=2;ARGS:a', '/quiet?a=x')).toEqual([3]);
    expect(of('ruleRemoveTargetByTag=t;ARGS:a', '/quiet?a=x&b=x')).toEqual([2, 3]);
  });
});

describe('answers', () => {
  const set = compileRules(
    [
      {
        name: 'a.conf',
        text: `${SETUP}
SecRule REQUEST_URI "@contains attack" "id:920001,phase:1,block,setvar:tx.anomaly_score=+5"
SecRule RESPONSE_STATUS "@streq 500" "id:950001,phase:3,block,setvar:tx.outbound_anomaly_score=+2"
SecRule RESPONSE_BODY "@rx ORA-\\d{5}" "id:951001,phase:4,block,setvar:tx.outbound_anomaly_score=+5"
SecRule TX:outbound_anomaly_score "@ge %{tx.outbound_anomaly_score_threshold}" "id:959001,phase:4,deny"`,
      },
    ],
    () => null,
  );
  const firewall = createFirewall(set, () => 0);
  const options = { excluded: new Set<number>(), units: 1_000_000 };
  const judged = (body: string | null) =>
    firewall.judgeResponse(messageOf({ target: '/attack' }), { status: 500, headers: [], body }, options);

  it('are judged by head and body, and the request is not judged again', () => {
    expect(judged('ORA-00942')).toMatchObject({ denied: true, score: 7, threshold: 4 });
    expect(judged('ORA-00942').matched.map(({ id }) => id)).toEqual([950001, 951001, 959001]);
    expect(judged(null)).toMatchObject({ denied: false, score: 2 });
  });
});

describe('what judging costs', () => {
  it('is bounded, and nothing is judged beyond', () => {
    const rules = Array.from({ length: 50 }, (_, i) => `SecRule ARGS "@rx (?:a|b|c)+${i}" "id:${i + 1}"`).join('\n');
    const set = compileRules([{ name: 'a.conf', text: rules }], () => null);
    const firewall = createFirewall(set, () => 0);
    const target = `/?q=${'ab'.repeat(2_000)}`;
    const judged = (units: number) => firewall.judgeRequest(messageOf({ target }), { excluded: new Set(), units });
    expect(judged(1_000)).toMatchObject({ problem: 'judging this message takes too long', left: 0, denied: false });
    expect(judged(10_000_000).problem).toBeNull();
    expect(judged(10_000_000).left).toBeLessThan(10_000_000);
  });

  it('counts arguments', () => {
    const target = `/?${'a=1&'.repeat(1_001)}`;
    expect(judge('SecRule ARGS "@contains x" "id:1"', { target }).problem).toMatch(/more than 1000 arguments/);
  });

  it('is paid by the clock where a search may take long', () => {
    let now = 0;
    const set = compileRules([{ name: 'a.conf', text: 'SecRule ARGS "@rx (?:a{20}b){20}c" "id:1"' }], () => null);
    const firewall = createFirewall(set, () => (now += 200));
    const verdict = firewall.judgeRequest(messageOf({ target: `/?q=${'a'.repeat(4_000)}` }), {
      excluded: new Set(),
      units: 10_000_000,
    });
    expect(verdict.problem).toBe('judging this message takes too long');
  });
});
