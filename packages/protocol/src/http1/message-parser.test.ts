import { describe, expect, it } from 'vitest';
import { createRequestParser } from './request-parser.ts';
import type { Http1Parser, RequestHead } from './types.ts';

/** A parser that pauses in the callbacks named by `pauseIn`. */
function pausing(pauseIn: ReadonlySet<string>): { parser: Http1Parser; events: string[] } {
  const events: string[] = [];
  const note = (event: string): void => {
    events.push(event);
    if (pauseIn.has(event)) parser.pause();
  };
  const parser: Http1Parser = createRequestParser({
    onHead: (_head: RequestHead) => note('head'),
    onBody: (chunk, start, end) => note(`body ${chunk.toString('latin1', start, end)}`),
    onTrailers: () => note('trailers'),
    onEnd: () => note('end'),
  });
  return { parser, events };
}

const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\n';

describe('pause', () => {
  it('stops after the head and goes on with the body', () => {
    const { parser, events } = pausing(new Set(['head']));
    const bytes = Buffer.from(`${HEAD}Content-Length: 2\r\n\r\nabrest`);
    const at = parser.execute(bytes, 0, bytes.length);
    expect([events, bytes.toString('latin1', at)]).toEqual([['head'], 'abrest']);
    const after = parser.execute(bytes, at, bytes.length);
    expect([events, bytes.toString('latin1', after)]).toEqual([['head', 'body ab', 'end'], 'rest']);
  });

  it('does not hold back an end that needs no more bytes', () => {
    const { parser, events } = pausing(new Set(['head', 'body ab']));
    const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\n\r\n${HEAD}Content-Length: 2\r\n\r\nab`);
    let at = parser.execute(bytes, 0, bytes.length);
    expect(events).toEqual(['head', 'end']);
    at = parser.execute(bytes, at, bytes.length);
    parser.execute(bytes, at, bytes.length);
    expect(events).toEqual(['head', 'end', 'head', 'body ab', 'end']);
  });

  it('stops between chunks', () => {
    const { parser, events } = pausing(new Set(['body ab']));
    const bytes = Buffer.from(`${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n`);
    const at = parser.execute(bytes, 0, bytes.length);
    expect(events).toEqual(['head', 'body ab']);
    expect(parser.execute(bytes, at, bytes.length)).toBe(bytes.length);
    expect(events).toEqual(['head', 'body ab', 'body c', 'end']);
  });
});

describe('state', () => {
  it('knows idle and head', () => {
    const { parser } = pausing(new Set());
    const feed = (text: string): void => void parser.execute(Buffer.from(text), 0, text.length);
    const state = (): string => `${parser.idle} ${parser.inHead}`;
    expect(state()).toBe('true false');
    feed('G');
    expect(state()).toBe('false true');
    feed('ET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n');
    expect(state()).toBe('false false');
    feed('a');
    expect(state()).toBe('false false');
    feed('b');
    expect(state()).toBe('true false');
    feed('\r\n');
    expect(state()).toBe('true false');
  });

  it('stays failed', () => {
    const { parser, events } = pausing(new Set());
    parser.execute(Buffer.from(' '), 0, 1);
    const failure = parser.failure;
    expect(failure?.status).toBe(400);
    const good = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(parser.execute(good, 0, good.length)).toBe(0);
    parser.finish();
    expect(parser.failure).toBe(failure);
    expect(events).toEqual([]);
  });

  it.each([
    ['a head', 'GET / HTTP', 'the connection ended within a head'],
    ['a body', `${HEAD}Content-Length: 2\r\n\r\na`, 'the connection ended within a body'],
  ])('the end within %s is a failure', (_name, raw, reason) => {
    const { parser, events } = pausing(new Set());
    parser.execute(Buffer.from(raw), 0, raw.length);
    parser.finish();
    expect(parser.failure).toEqual({ status: 400, reason });
    expect(events).not.toContain('end');
  });

  it('the end between requests is none, and ends parsing', () => {
    const { parser, events } = pausing(new Set());
    parser.finish();
    expect(parser.failure).toBe(null);
    expect(parser.idle).toBe(true);
    expect(parser.execute(Buffer.from('GET'), 0, 3)).toBe(0);
    expect(events).toEqual([]);
  });

  it('lets other errors of a sink through', () => {
    const parser = createRequestParser({
      onHead: () => {
        throw new RangeError('from the sink');
      },
      onBody: () => undefined,
      onTrailers: () => undefined,
      onEnd: () => undefined,
    });
    const bytes = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(() => parser.execute(bytes, 0, bytes.length)).toThrow('from the sink');
  });
});
