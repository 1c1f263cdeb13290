/** Shortcuts from rules and a message to what comes of it, for tests. */
import { createFirewall, type Verdict } from '../engine.ts';
import { compileRules } from '../rules/compile.ts';
import type { HeaderLine, RequestMessage } from '../run/message.ts';

/** Scores as the Core Rule Set does, in few words. */
export const SETUP = `
SecDefaultAction "phase:1,log,auditlog,pass"
SecDefaultAction "phase:2,log,auditlog,pass"
SecDefaultAction "phase:4,log,auditlog,pass"
SecAction "id:901001,phase:1,pass,nolog,setvar:tx.critical=5,setvar:tx.inbound_anomaly_score_threshold=5,\\
    setvar:tx.outbound_anomaly_score_threshold=4,setvar:tx.anomaly_score=0,setvar:tx.outbound_anomaly_score=0"
`;

export interface Facts extends Partial<Omit<RequestMessage, 'headers'>> {
  readonly headers?: readonly HeaderLine[];
}

export function messageOf(facts: Facts = {}): RequestMessage {
  return {
    clientIp: '203.0.113.7',
    clientPort: 50_123,
    serverIp: '198.51.100.1',
    serverPort: 443,
    serverName: 'app.test',
    method: 'GET',
    target: '/',
    version: 'HTTP/1.1',
    headers: [['Host', 'app.test']],
    body: null,
    bodyCut: false,
    now: 0,
    id: 'one',
    ...facts,
  };
}

export function judge(rules: string, facts: Facts = {}, data: Readonly<Record<string, string>> = {}): Verdict {
  const set = compileRules([{ name: 'test.conf', text: rules }], (_file, name) => data[name] ?? null);
  const firewall = createFirewall(set, () => performance.now());
  return firewall.judgeRequest(messageOf(facts), { excluded: new Set(), units: 10_000_000 });
}

/** Ids of the rules that matched. */
export function matching(rules: string, facts: Facts = {}, data: Readonly<Record<string, string>> = {}): number[] {
  const verdict = judge(rules, facts, data);
  if (verdict.problem !== null) throw new Error(verdict.problem);
  return verdict.matched.map(({ id }) => id);
}
