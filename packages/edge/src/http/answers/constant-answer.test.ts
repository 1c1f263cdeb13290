import { expect, test } from 'vitest';
import type { Outcome } from '@postern/policy';
import { ResponseDraft } from '../exchange/message.ts';
import { settleResponseFields } from '../exchange/forwarding.ts';
import { constantHead } from './constant-answer.ts';

type Respond = Extract<Outcome, { kind: 'respond' }>;

const NOON = Date.UTC(2026, 10, 29, 12);

function constant(change: Partial<Respond> = {}): Respond {
  return {
    kind: 'respond',
    status: 200,
    headers: [['X-A', 'b']],
    body: Buffer.from('hello'),
    constant: true,
    ...change,
  };
}

const textOf = (outcome: Respond, now: number): string | undefined => {
  const head = constantHead(outcome, now);
  return head === null ? undefined : new ResponseDraft(head, false).headText(false, false);
};

test('the head of a constant answer is made once a second, with its Date', () => {
  const answer = constant();
  const first = textOf(answer, NOON);
  expect(first).toBe('HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 5\r\nDate: Sun, 29 Nov 2026 12:00:00 GMT\r\n\r\n');
  expect(textOf(answer, NOON + 999)).toBe(first);
  expect(textOf(answer, NOON + 1_000)).toContain('12:00:01 GMT');
});

test('whoever changes its fields changes those of that one answer', () => {
  const answer = constant();
  const head = constantHead(answer, NOON) ?? expect.fail('no head');
  const changed = new ResponseDraft(head, false);
  changed.fields.push('X-More', '1');
  settleResponseFields(changed);
  expect(changed.headText(false, true)).toBe(
    'HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 5\r\nDate: Sun, 29 Nov 2026 12:00:00 GMT\r\nX-More: 1\r\nConnection: close\r\n\r\n',
  );
  expect(textOf(answer, NOON)).not.toContain('X-More');
});

test('the last answer of a connection, and one in chunks, say so', () => {
  const head = constantHead(constant(), NOON) ?? expect.fail('no head');
  expect(new ResponseDraft(head, false).headText(false, true)).toMatch(/GMT\r\nConnection: close\r\n\r\n$/);
  expect(new ResponseDraft(head, false).headText(true, false)).toMatch(/GMT\r\nTransfer-Encoding: chunked\r\n\r\n$/);
});

test.each<[string, Partial<Respond>]>([
  ['made anew for each request', { constant: undefined as never }],
  ['with a length of its own', { headers: [['Content-Length', '3']] }],
  ['with a Date of its own', { headers: [['date', 'never']] }],
  ['with a field of one hop', { headers: [['Connection', 'close']] }],
  ['with a field that visitors never get', { headers: [['ngrok-error-code', 'ERR_NGROK_1']] }],
  ['without a body by its status', { status: 204, body: Buffer.alloc(0) }],
])('one %s is none', (_, change) => {
  expect(constantHead(constant(change), NOON)).toBeNull();
});
