import { describe, expect, it } from 'vitest';
import { compilePolicy, type EventView, type Outcome } from '../../index.ts';
import { makeContext, type Facts, type TestContext } from '../../testing/context.ts';
import { AGENT, refusal, rule, run } from '../../testing/run.ts';

const E = 'on_event_stream_message';
const T = 'sse-find-replace';

class Message implements EventView {
  #data: Buffer | null;
  #retry: Buffer | null;
  readonly #memory: number;

  constructor(data: string | null, retry: string | null = null, memory = Infinity) {
    this.#data = data === null ? null : Buffer.from(data);
    this.#retry = retry === null ? null : Buffer.from(retry);
    this.#memory = memory;
  }

  get data(): Buffer | null {
    return this.#data;
  }

  set data(value: Buffer) {
    this.#data = value;
  }

  get retry(): Buffer | null {
    return this.#retry;
  }

  set retry(value: Buffer) {
    this.#retry = value;
  }

  reserve(bytes: number): boolean {
    return bytes <= this.#memory;
  }
}

const action = (...replacements: object[]): object => ({ type: T, config: { replacements } });

async function judged(
  event: Message,
  replacements: readonly object[],
  facts: Facts = {},
): Promise<{ outcome: Outcome; context: TestContext; data: string | undefined; retry: string | undefined }> {
  const { outcome, context } = await run(E, [{ actions: [action(...replacements)] }], { ...facts, event });
  return { outcome, context, data: event.data?.toString(), retry: event.retry?.toString() };
}

describe('sse-find-replace', () => {
  it.each([
    ['data by default', [{ from: 'b+', to: 'x' }], 'axc', '10'],
    ['retry', [{ field: 'retry', from: '\\d+', to: '5000' }], 'abbc', '5000'],
    [
      'in order, each on what the one before made',
      [
        { from: 'a', to: 'b' },
        { from: 'b+', to: '[$0]' },
      ],
      '[bbb]c',
      '10',
    ],
    ['by nothing', [{ field: 'data', from: 'b' }], 'ac', '10'],
    ['nothing', [{ from: 'x', to: 'y' }], 'abbc', '10'],
  ])('replaces in %s', async (_, replacements, data, retry) => {
    expect(await judged(new Message('abbc', '10'), replacements)).toMatchObject({
      outcome: { kind: 'continue' },
      data,
      retry,
    });
  });

  it('has nothing to do with a message without the field', async () => {
    expect(await judged(new Message(null), [{ from: '.*', to: 'x' }])).toMatchObject({ data: undefined });
  });

  it('sees what is known of request and answer, and what response rules have set', async () => {
    const policy = {
      on_http_response: [{ actions: [{ type: 'set-vars', config: { vars: [{ find: 'b' }, { where: 'data' }] } }] }],
      [E]: [
        {
          expressions: ["req.url.path == '/x'", "res.headers['x-a'][0] == '1'", 'res.status_code == 200'],
          actions: [action({ field: '${vars.where}', from: '${vars.find}', to: '${req.method}' })],
        },
      ],
    };
    const compiled = compilePolicy(policy, AGENT);
    const event = new Message('ab');
    const facts = { event, status: 200, target: '/x', responseHeaders: [['x-a', '1']] } as const;
    const context = makeContext(facts);
    await compiled.onHttpResponse?.start(context).next();
    expect(await compiled.onEventStreamMessage?.start(context).next()).toEqual({ kind: 'continue' });
    expect(event.data?.toString()).toBe('aGET');
  });

  it('says what each replacement found first, to rules behind it', async () => {
    const found = 'actions.ngrok.sse_find_replace.replacements';
    const rules = [
      { actions: [action({ from: 'x', to: 'y' }, { from: 'b.', to: 'q' })] },
      {
        expressions: [`size(${found}) == 1`],
        actions: [action({ from: '$', to: ` \${${found}[0].replacement_index} \${${found}[0].matched_content}` })],
      },
    ];
    const event = new Message('ab1b2');
    await run(E, rules, { event });
    expect(event.data?.toString()).toBe('aqq 1 b1');
  });

  it('lets no message through that it cannot judge', async () => {
    const wrong = (replacement: object, event = new Message('a')): Promise<Outcome> =>
      judged(event, [replacement]).then(({ outcome }) => outcome);
    expect(await wrong({ field: '${req.method}', from: 'a' })).toMatchObject({ error: { number: 2238 } });
    expect(await wrong({ from: '${vars.none}' })).toMatchObject({ error: { number: 2238 } });
    expect(await wrong({ from: '${req.method + "("}' })).toMatchObject({ error: { number: 3901 } });
    expect(await wrong({ from: 'a', to: 'b' }, new Message('a', null, 10))).toMatchObject({ error: { number: 3903 } });
    const large = new Message('a'.repeat(1_000));
    expect(await wrong({ from: 'a', to: 'b'.repeat(2_000) }, large)).toMatchObject({ error: { number: 3904 } });
  });

  it('goes on in turns where a message takes long', async () => {
    const event = new Message('ab'.repeat(100_000));
    const result = judged(event, [{ from: 'a(b)', to: '$1' }]);
    expect(await result).toMatchObject({ outcome: { kind: 'continue' }, data: 'b'.repeat(100_000) });
  });

  it('says what is wrong with its config, and where it may stand', () => {
    const wrong = (config: object): string => refusal(rule(E, { type: T, config }));
    expect(wrong({ replacements: [{ field: 'event', from: 'a' }] })).toMatch(/^2222 .*replacements\[0\]\.field.*retry/);
    expect(wrong({ replacements: [] })).toMatch(/^(?:2223|2237) .*replacements/);
    expect(wrong({ replacements: [{ from: '(' }] })).toMatch(/^2261 .*replacements\[0\]\.from/);
    expect(refusal(rule('on_http_response', action({ from: 'a' })))).toMatch(/^2202 /);
    expect(refusal(rule(E, { type: 'deny' }))).toMatch(/^2202 /);
    expect(refusal(rule(E, action({ from: 'a' })), { ...AGENT, protocol: 'tcp' })).toMatch(/^2230 /);
  });
});
