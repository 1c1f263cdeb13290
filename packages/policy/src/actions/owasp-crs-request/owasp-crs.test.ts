import { gzipSync } from 'node:zlib';
import type { Firewall, RequestMessage, ResponseMessage, Verdict } from '@postern/seclang';
import { describe, expect, it } from 'vitest';
import { AGENT, bodyOf, refusal, rule, run, show } from '../../testing/run.ts';
import type { Facts } from '../../testing/context.ts';

const R = 'on_http_request';
const S = 'on_http_response';

interface Asked {
  readonly message: RequestMessage;
  readonly answer: ResponseMessage | null;
  readonly excluded: readonly number[];
  readonly units: number;
}

function firewall(verdict: Partial<Verdict> = {}): { service: Firewall; asked: Asked[] } {
  const asked: Asked[] = [];
  const judged: Verdict = { problem: null, denied: false, score: 0, threshold: 5, matched: [], left: 7, ...verdict };
  return {
    asked,
    service: {
      judgeRequest(message, { excluded, units }) {
        asked.push({ message, answer: null, excluded: [...excluded], units });
        return judged;
      },
      judgeResponse(message, answer, { excluded, units }) {
        asked.push({ message, answer, excluded: [...excluded], units });
        return judged;
      },
    },
  };
}

const action = (type: string, config: object = {}): object => ({ actions: [{ type, config }] });
const request = (config: object = {}): object => action('owasp-crs-request', config);

const DENIED: Partial<Verdict> = {
  denied: true,
  score: 10,
  matched: [{ id: 942100, message: 'SQL', severity: 'critical', data: 'b\xc3\xa4d' }],
};
const RESULT =
  '${actions.ngrok.owasp_crs_request.decision} ${actions.ngrok.owasp_crs_request.anomaly_score}/${actions.ngrok.owasp_crs_request.anomaly_score_threshold} ${actions.ngrok.owasp_crs_request.error.code}';

describe('owasp-crs-request', () => {
  it('turns away what is denied, and says no more than that', async () => {
    const { service } = firewall(DENIED);
    const { outcome } = await run(R, [request()], { services: { firewall: service } });
    expect(outcome).toMatchObject({ kind: 'error', error: { number: 3700, status: 403 } });
    expect(JSON.stringify(outcome)).not.toContain('942100');
  });

  it('lets through what is not, and what is when it only tries', async () => {
    const shown = `${RESULT} \${actions.ngrok.owasp_crs_request.matched_rules[0].id} \${actions.ngrok.owasp_crs_request.matched_rules[0].data}`;
    const of = async (verdict: Partial<Verdict>, config: object): Promise<string> =>
      bodyOf(
        (await run(R, [request(config), show(shown)], { services: { firewall: firewall(verdict).service } })).outcome,
      );
    expect(await of({ score: 3 }, {})).toBe('allow 3/5   ');
    expect(await of(DENIED, { on_error: 'continue' })).toBe('deny 10/5 ERR_NGROK_3700 942100 bäd');
  });

  it('fails as on_error says when nobody can judge', async () => {
    const broken = { problem: 'judging this message takes too long' };
    const facts: Facts = { services: { firewall: firewall(broken).service } };
    expect((await run(R, [request()], facts)).outcome).toMatchObject({ error: { number: 3701, status: 500 } });
    expect((await run(R, [request()])).outcome).toMatchObject({ error: { number: 3701 } });
    const going = [request({ on_error: 'continue' }), show(RESULT)];
    expect(bodyOf((await run(R, going, facts)).outcome)).toBe('allow 0/5 ERR_NGROK_3701');
  });

  it('shows rules the request as bytes, its body only when asked to', async () => {
    const { service, asked } = firewall();
    const facts: Facts = {
      services: { firewall: service },
      method: 'POST',
      target: '/ä?b=1',
      headers: [['X-Name', 'ü']],
      body: `ö${'x'.repeat(5_000)}`,
    };
    await run(R, [request({ exclude_rule_ids: [920_100, '942100'] })], facts);
    await run(R, [request({ process_body: true })], facts);
    const [head, whole] = asked;
    expect(head?.excluded).toEqual([920_100, 942_100]);
    expect(head?.message).toMatchObject({
      method: 'POST',
      target: '/\xc3\xa4?b=1',
      body: null,
      clientIp: '203.0.113.7',
    });
    expect(head?.message.headers).toEqual([
      ['host', 'app.example.com'],
      ['X-Name', '\xc3\xbc'],
    ]);
    expect(whole?.message.body).toBe(`\xc3\xb6${'x'.repeat(4_094)}`);
    expect(whole?.message.bodyCut).toBe(true);
  });

  it('pays for all that a request is judged by from one purse', async () => {
    const { service, asked } = firewall();
    await run(R, [request(), request()], { services: { firewall: service } });
    expect(asked.map(({ units }) => units)).toEqual([10_000_000, 7]);
  });

  it('is refused where the server has no rules, and where its fields are wrong', () => {
    const none = { ...AGENT, firewall: false };
    const written = rule(R, { type: 'owasp-crs-request' });
    expect(refusal(written, none)).toMatch(/^90029 on_http_request\[0\]\.actions\[0\]\.config: .*--owasp-crs/);
    expect(refusal(written)).toBe('accepted');
    const of = (config: object): string => refusal(rule(R, { type: 'owasp-crs-request', config }));
    expect(of({ exclude_rule_ids: [1] })).toMatch(/^2215 .*exclude_rule_ids\[0\]/);
    expect(of({ on_error: 'stop' })).toMatch(/^2222 /);
    expect(of({ paranoia: 2 })).toMatch(/^2203 /);
    expect(refusal(rule(S, { type: 'owasp-crs-request' }))).toMatch(/^2202 /);
  });
});

describe('owasp-crs-response', () => {
  const response = (config: object = {}): object => action('owasp-crs-response', config);
  const html = [['content-type', 'text/html; charset=utf-8']] as const;

  it('keeps back what is denied', async () => {
    const { service, asked } = firewall(DENIED);
    const facts: Facts = { services: { firewall: service }, status: 500, responseHeaders: html, responseBody: 'ORA-1' };
    expect((await run(S, [response()], facts)).outcome).toMatchObject({
      kind: 'error',
      error: { number: 3702, status: 403 },
    });
    expect(asked[0]?.answer).toEqual({ status: 500, headers: html, body: null });
  });

  it('reads the beginning of texts, decoded', async () => {
    const { service, asked } = firewall();
    const judged = async (headers: Facts['responseHeaders'], body: Buffer | string) => {
      const facts: Facts = { services: { firewall: service }, responseHeaders: headers ?? [], responseBody: body };
      const { outcome } = await run(S, [response({ process_body: true })], facts);
      return outcome.kind === 'continue' ? asked.at(-1)?.answer?.body : outcome.kind;
    };
    const page = `<p>${'ä'.repeat(20_000)}`;
    const start = Buffer.from(page).toString('latin1');
    expect(await judged(html, page)).toBe(start.slice(0, 4_096));
    expect(await judged([...html, ['content-encoding', 'gzip']], gzipSync(page))).toBe(start.slice(0, 16_384));
    expect(await judged([['content-type', 'image/png']], 'x')).toBeNull();
    expect(await judged([...html, ['content-encoding', 'gzip']], 'none of it')).toBe('error');
    expect(await judged([...html, ['content-encoding', 'odd']], 'x')).toBe('error');
  });
});
