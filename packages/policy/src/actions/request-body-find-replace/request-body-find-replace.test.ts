import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../../index.ts';
import type { BodyProblem, Outcome } from '../../runtime.ts';
import { makeContext, type Facts, type TestContext } from '../../testing/context.ts';
import { AGENT, bodyOf, refusal, rule, run, show } from '../../testing/run.ts';

const R = 'on_http_request';
const T = 'request-body-find-replace';
type Replacement = readonly [from: string, to?: string];

const action = (...replacements: Replacement[]): { type: string; config: object } => ({
  type: T,
  config: { replacements: replacements.map(([from, to]) => (to === undefined ? { from } : { from, to })) },
});

async function changed(facts: Facts, ...replacements: Replacement[]): Promise<TestContext> {
  const { outcome, context } = await run(R, [{ actions: [action(...replacements)] }], facts);
  expect(outcome).toEqual({ kind: 'continue' });
  return context;
}

async function textOf(body: string | Buffer, ...replacements: Replacement[]): Promise<string> {
  return (await changed({ body }, ...replacements)).bodies.request.toString('utf8');
}

const problem = async (facts: Facts, ...replacements: Replacement[]): Promise<Outcome> =>
  (await run(R, [{ actions: [action(...replacements)] }], facts)).outcome;

describe('request-body-find-replace', () => {
  it.each<[string, string, Replacement[], string]>([
    ['every match', 'a1 b22 c', [['\\d+', '#']], 'a# b# c'],
    [
      'in order, each on what the one before made',
      'one',
      [
        ['one', 'two'],
        ['two', 'three'],
      ],
      'three',
    ],
    ['by nothing', 'x<!-- y -->z', [['<!--.*?-->']], 'xz'],
    ['with groups', 'user=ada;', [['(\\w+)=(\\w+)', '$2=$1']], 'ada=user;'],
    ['with names of groups as long as they can be', 'ab', [['(a)(b)', '$1x$2']], 'b'],
    ['with a dollar', 'ab', [['a', '$$1']], '$1b'],
    ['with named groups', 'ab', [['(?P<first>a)', '[$first]']], '[a]b'],
    [
      'letters of any language',
      'Straße 日本',
      [
        ['(?i)STRASSE|日', 'x'],
        ['ß', 'ss'],
      ],
      'Strasse x本',
    ],
    ['empty matches, as Go does', 'abc', [['x*', '-']], '-a-b-c-'],
    ['all of it', 'abc', [['(?s).*', '']], ''],
    ['a literal', 'aXbXc', [['X', '']], 'abc'],
    ['at line ends', 'a\nb', [['(?m)$', ';']], 'a;\nb;'],
    ['nothing', 'abc', [['x', 'y']], 'abc'],
  ])('replaces %s', async (_, body, replacements, expected) => {
    expect(await textOf(body, ...replacements)).toBe(expected);
  });

  it('leaves bytes that are no text as they are', async () => {
    const body = Buffer.from([0xff, 0x00, 0x61, 0xc3, 0x28, 0x61]);
    const { bodies } = await changed({ body }, ['a', 'bb']);
    expect([...bodies.request]).toEqual([0xff, 0x00, 0x62, 0x62, 0xc3, 0x28, 0x62, 0x62]);
  });

  it('fills in both sides for the request', async () => {
    const headers = [
      ['x-find', 'a+'],
      ['x-put', '<$0>'],
    ] as const;
    const facts = { headers, body: 'baab' };
    const { bodies } = await changed(facts, ["${req.headers['x-find'][0]}", "${req.headers['x-put'][0]}"]);
    expect(bodies.request.toString()).toBe('b<aa>b');
    expect(await problem({ ...facts, headers: [['x-find', '(']] }, ["${req.headers['x-find'][0]}", ''])).toMatchObject({
      error: { number: 3901, status: 500 },
    });
    // What is missing would match everywhere.
    expect(await problem({ body: 'x' }, ['${vars.pattern}', 'y'])).toMatchObject({ error: { number: 2238 } });
  });

  it('says what each replacement found first', async () => {
    const path = 'actions.ngrok.request_body_find_replace.replacements';
    const rules = [
      { actions: [action(['x', 'y'], ['b.', 'q'], ['q', 'r'])] },
      show(`\${${path}.map(r, string(r.replacement_index) + r.matched_content).join(' ')}`),
    ];
    expect(bodyOf((await run(R, rules, { body: 'ab1 b2' })).outcome)).toBe('1b1 2q');
    expect(bodyOf((await run(R, rules, { body: '' })).outcome)).toBe('');
  });

  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ])('reads what is %s, and sends it as it is then', async (coding, encode) => {
    const headers = [
      ['content-encoding', coding],
      ['content-digest', 'sha-256=:x:'],
      ['content-type', 'application/json'],
    ] as const;
    const body = encode(Buffer.from('{"key": "secret"}'));
    const hidden = await changed({ headers, body }, ['secret', '***']);
    expect(hidden.bodies.request.toString()).toBe('{"key": "***"}');
    expect(hidden.req?.headers.lines).toEqual([['content-type', 'application/json']]);
    const same = await changed({ headers, body }, ['nothing like it', '']);
    expect(same.bodies.request.equals(body)).toBe(true);
    expect(same.req?.headers.lines).toEqual(headers);
  });

  it('undoes codings in their order', async () => {
    const body = brotliCompressSync(gzipSync('a secret'));
    const { bodies } = await changed({ headers: [['content-encoding', 'gzip, br']], body }, ['secret', '***']);
    expect(bodies.request.toString()).toBe('a ***');
  });

  it.each([
    ['an unknown coding', [['content-encoding', 'compress']], 'secret'],
    ['what is not encoded as it says', [['content-encoding', 'gzip']], 'secret'],
  ] as const)('lets nothing through with %s', async (_, headers, body) => {
    expect(await problem({ headers, body }, ['secret', ''])).toMatchObject({ error: { number: 3904, status: 500 } });
  });

  it('has limits for what comes, what is in it, and what is made of it', async () => {
    const limit = 4 * 1024 * 1024;
    expect(await textOf(Buffer.alloc(limit, 'a'), ['b', 'c'])).toHaveLength(limit);
    expect(await problem({ body: Buffer.alloc(limit + 1) }, ['b', ''])).toMatchObject({ error: { number: 3902 } });
    const bomb = { headers: [['content-encoding', 'gzip']], body: gzipSync(Buffer.alloc(limit + 1)) } as const;
    expect(await problem(bomb, ['b', ''])).toMatchObject({ error: { number: 3902, status: 413 } });
    expect(await problem({ body: Buffer.alloc(1_000, 'a') }, ['a', 'b'.repeat(5_000)])).toMatchObject({
      error: { number: 3904 },
    });
    expect(await problem({ body: 'a', memory: 100 }, ['a', 'b'])).toMatchObject({ error: { number: 3903 } });
    expect(await problem({ ...bomb, memory: 100_000 }, ['b', ''])).toMatchObject({ error: { number: 3903 } });
  });

  it('takes no more memory for many replacements than for two', async () => {
    const many = Array.from('ABCDEFGHIJKLMNOPQRSTUVW', (letter): Replacement => [letter, 'x']);
    const body = Buffer.alloc(100_000, 'ABCDEFGHIJKLMNOPQRSTUVW');
    const { bodies } = await changed({ body, memory: 250_000 }, ...many);
    expect(bodies.request.toString('latin1')).toMatch(/^x+$/);
  });

  it('ends what would cost more than a request may', async () => {
    // Each search goes through all that is left.
    const body = Buffer.alloc(200_000, 'a');
    expect(await problem({ body }, ['a.*b|a', 'x'])).toMatchObject({
      error: { number: 90_034, message: expect.stringContaining('more steps than one request may cost') },
    });
    const context = makeContext({ body: 'aaa' });
    context.work.effortLeft = 1;
    const phase = compilePolicy({ [R]: [{ actions: [action(['a', 'b'])] }] }, AGENT).onHttpRequest;
    expect(await phase?.start(context).next()).toMatchObject({ error: { number: 90_034 } });
  });

  it('waits for its turn, and gives up with its visitor', async () => {
    const body = Buffer.alloc(500_000, 'ab');
    for (const [result, number] of [
      ['busy', 90_082],
      ['over', 3903],
    ] as const) {
      const services = { slices: { run: () => Promise.resolve(result) } };
      expect(await problem({ body, services }, ['a(b)', '$1'])).toMatchObject({ error: { number } });
    }
  });

  it.each([
    ['too-slow', 90_060, 408],
    ['no-room', 3903, 503],
  ] as const)('says why it has no body: %s', async (reason: BodyProblem, number, status) => {
    const { req, ...context } = makeContext({});
    if (req === null) throw new Error('there is no request');
    req.readBody = () => Promise.resolve(reason);
    const phase = compilePolicy({ [R]: [{ actions: [action(['a'])] }] }, AGENT).onHttpRequest;
    expect(await phase?.start({ ...context, req }).next()).toMatchObject({ error: { number, status } });
  });

  it.each(['image/png', 'AUDIO/ogg', 'video/mp4', 'font/woff2'])('lets %s pass', async (type) => {
    const { bodies } = await changed({ headers: [['content-type', type]], body: 'a' }, ['a', 'b']);
    expect(bodies.request.toString()).toBe('a');
  });

  it('takes pictures of text for text', async () => {
    const headers = [['content-type', 'image/svg+xml; charset=utf-8']] as const;
    expect((await changed({ headers, body: '<a/>' }, ['a', 'b'])).bodies.request.toString()).toBe('<b/>');
  });

  it('says what is wrong with its config', () => {
    const wrong = (config: object): string => refusal(rule(R, { type: T, config }));
    expect(wrong({})).toMatch(/^2234 .*"replacements"/);
    expect(wrong({ replacements: [] })).toMatch(/^(?:2223|2237) .*config\.replacements/);
    expect(wrong({ replacements: [{ to: 'x' }] })).toMatch(/^2234 .*replacements\[0\].*"from"/);
    expect(wrong({ replacements: [{ from: '' }] })).toMatch(/^2223 .*replacements\[0\]\.from/);
    expect(wrong({ replacements: [{ from: 'a' }, { from: '(' }] })).toMatch(/^2261 .*replacements\[1\]\.from/);
    expect(wrong({ replacements: [{ from: 'a(?=b)' }] })).toMatch(/^2261 .*replacements\[0\]\.from/);
    expect(wrong({ replacements: [{ from: 'a', to: '${req.foo}' }] })).toMatch(/^2224 .*replacements\[0\]\.to/);
    expect(wrong({ replacements: [{ from: 'a', field: 'data' }] })).toMatch(/^2203 .*replacements\[0\]\.field/);
    expect(wrong({ replacements: Array.from({ length: 101 }, () => ({ from: 'a' })) })).toMatch(/^2218 /);
    expect(refusal(rule('on_http_response', action(['a'])))).toMatch(/^2202 /);
  });
});
