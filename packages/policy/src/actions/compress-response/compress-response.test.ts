import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Facts } from '../../testing/context.ts';
import { bodyOf, refusal, rule, run, show } from '../../testing/run.ts';
import { negotiate } from './negotiate.ts';

const S = 'on_http_response';
const compress = (config: object = {}): object => ({ actions: [{ type: 'compress-response', config }] });
const answer = async (facts: Facts, config = {}) => {
  const { context } = await run(S, [compress(config)], {
    headers: [['accept-encoding', 'gzip, deflate, br']],
    responseHeaders: [['content-type', 'text/html']],
    ...facts,
  });
  return context.res;
};

const problem = (algorithms: unknown): string =>
  refusal(rule(S, { type: 'compress-response', config: { algorithms } }));

describe('compress-response', () => {
  it('compresses, and tells everyone on the way', async () => {
    const res = await answer({
      responseLength: 1000,
      responseHeaders: [
        ['Content-Type', 'text/html'],
        ['Content-Length', '1000'],
        ['ETag', '"v1"'],
        ['Vary', 'Origin'],
      ],
    });
    expect(res?.encodings).toEqual(['gzip']);
    expect(res?.headers.lines).toEqual([
      ['Content-Type', 'text/html'],
      ['Vary', 'Origin'],
      ['content-encoding', 'gzip'],
      ['vary', 'accept-encoding'],
      ['etag', 'W/"v1"'],
    ]);
  });

  it.each<[string, Facts]>([
    ['HEAD', { method: 'HEAD' }],
    ['204', { status: 204 }],
    ['304', { status: 304 }],
    ['206', { status: 206 }],
    ['empty', { responseLength: 0 }],
    ['encoded', { responseHeaders: [['content-encoding', 'br']] }],
    ['part', { responseHeaders: [['content-range', 'bytes 0-1/2']] }],
    ['no-transform', { responseHeaders: [['cache-control', 'public, no-transform']] }],
    ['event stream', { responseHeaders: [['content-type', 'text/event-stream']] }],
    ['not asked for', { headers: [] }],
    ['no overlap', { headers: [['accept-encoding', 'zstd']] }],
  ])('leaves alone: %s', async (_, facts) => {
    const res = await answer(facts);
    expect(res?.encodings).toEqual([]);
    expect(res?.headers.lines).toEqual(facts.responseHeaders ?? [['content-type', 'text/html']]);
  });

  it('keeps to the configured algorithms and their order', async () => {
    expect((await answer({}, { algorithms: ['br', 'gzip'] }))?.encodings).toEqual(['br']);
    expect((await answer({}, { algorithms: ['compress'] }))?.encodings).toEqual([]);
    expect(problem(['gzip', 'zip'])).toMatch(/^2214 .*config\.algorithms\[1\]: "zip"/);
    expect(problem(['gzip', 'gzip'])).toMatch(/^2231 .*config\.algorithms: "gzip" is given twice/);
  });

  it('tells what it did', async () => {
    const text = '${actions.ngrok.compress.negotiated_algorithm} ${actions.ngrok.compress.already_compressed}';
    const { outcome } = await run(S, [compress(), show(text)], {
      headers: [['accept-encoding', 'br;q=0.9, gzip;q=0.8']],
    });
    expect(bodyOf(outcome)).toBe('br false');
  });
});

describe('negotiate', () => {
  const all = ['gzip', 'deflate', 'br'] as const;

  it.each([
    ['gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['br;q=1.0, gzip;q=0.5', 'br'],
    ['*', 'gzip'],
    ['gzip;q=0, *', 'deflate'],
    ['gzip;q=0', null],
    ['*;q=0', null],
    ['identity', null],
    ['identity, gzip;q=0.5', null],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    ['', null],
    [';;,,;q=', null],
  ])('%s', (header, coding) => {
    expect(negotiate(header, all)).toBe(coding);
  });

  it('never picks what was refused', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(...all), (noise, refused) => {
        expect(negotiate(`${noise.replaceAll(',', '')}, ${refused};q=0`, [refused])).toBeNull();
      }),
    );
  });
});
