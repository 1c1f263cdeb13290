import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../../index.ts';
import { makeContext, type Facts, type TestContext } from '../../testing/context.ts';
import { AGENT, bodyOf, refusal, rule, run, show } from '../../testing/run.ts';

const S = 'on_http_response';
const hide = { type: 'response-body-find-replace', config: { replacements: [{ from: 'secret', to: '***' }] } };

async function changed(facts: Facts, ...actions: object[]): Promise<TestContext> {
  const { outcome, context } = await run(S, [{ actions }], facts);
  expect(outcome).toEqual({ kind: 'continue' });
  return context;
}

const answer = (facts: Facts): Promise<TestContext> => changed({ responseBody: 'a secret', ...facts }, hide);

describe('response-body-find-replace', () => {
  it('replaces what matches, and what was said of the bytes goes', async () => {
    const { bodies, res } = await answer({
      responseHeaders: [
        ['etag', '"1"'],
        ['accept-ranges', 'bytes'],
        ['repr-digest', 'sha-256=:x:'],
        ['content-encoding', 'gzip'],
        ['x-other', '1'],
      ],
      responseBody: gzipSync('a secret'),
    });
    expect(bodies.response.toString()).toBe('a ***');
    expect(res?.headers.lines).toEqual([
      ['x-other', '1'],
      ['etag', 'W/"1"'],
    ]);
  });

  it('leaves an answer alone in which nothing matches', async () => {
    const responseHeaders = [
      ['etag', '"1"'],
      ['accept-ranges', 'bytes'],
    ] as const;
    expect((await answer({ responseHeaders, responseBody: 'nothing' })).res?.headers.lines).toEqual(responseHeaders);
  });

  it.each<Facts>([
    { method: 'HEAD' },
    { status: 204 },
    { status: 304 },
    { responseLength: 0 },
    { responseHeaders: [['content-type', 'image/png']] },
  ])('has nothing to do with %j', async (facts) => {
    const context = makeContext({ status: 200, ...facts });
    if (context.res === null) throw new Error('there is no answer');
    context.res.readBody = () => Promise.reject(new Error('it was read'));
    const phase = compilePolicy(rule(S, hide), AGENT).onHttpResponse;
    expect(await phase?.start(context).next()).toEqual({ kind: 'continue' });
  });

  it('comes before an encoder, wherever it is written', async () => {
    const facts = { headers: [['accept-encoding', 'gzip']], responseBody: 'a secret' } as const;
    const { bodies, res } = await changed(facts, { type: 'compress-response' }, hide);
    expect(bodies.response.toString()).toBe('a ***');
    expect(res?.encodings).toEqual(['gzip']);
    expect(res?.headers.get('content-encoding')).toBe('gzip');
  });

  it('works on what others of its kind have made', async () => {
    const again = { type: hide.type, config: { replacements: [{ from: '\\*+', to: '[hidden]' }] } };
    expect((await changed({ responseBody: 'a secret' }, hide, again)).bodies.response.toString()).toBe('a [hidden]');
  });

  it('says what it found', async () => {
    const path = 'actions.ngrok.response_body_find_replace.replacements';
    const rules = [{ actions: [hide] }, show(`\${${path}[0].matched_content} \${${path}[0].replacement_index}`)];
    expect(bodyOf((await run(S, rules, { responseBody: 'a secret' })).outcome)).toBe('secret 0');
  });

  it.each([
    ['too-large', 90_080, 502],
    ['too-slow', 90_081, 504],
    ['no-room', 3903, 503],
  ] as const)('answers for an answer that it cannot read: %s', async (problem, number, status) => {
    const context = makeContext({ status: 200 });
    if (context.res === null) throw new Error('there is no answer');
    context.res.readBody = () => Promise.resolve(problem);
    const phase = compilePolicy(rule(S, hide), AGENT).onHttpResponse;
    expect(await phase?.start(context).next()).toMatchObject({ kind: 'error', error: { number, status } });
  });

  it('is of answers', () => {
    expect(refusal(rule('on_http_request', hide))).toMatch(/^2202 /);
  });
});
