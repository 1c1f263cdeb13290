/** Heads that go on as the text they came as are what they would be as lists of fields. */
import { createRequestParser, createResponseParser, type RequestHead, type ResponseHead } from '@postern/protocol';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { POLICY_CONTEXT } from '../../testing/fixtures.ts';
import type { VisitorFacts } from '../../context.ts';
import { HOP_MARK } from './hop-mark.ts';
import { type Forwarder, RequestDraft, ResponseDraft } from './message.ts';
import { prepareRequestFields, prepareResponseFields } from './prepared-fields.ts';
import { REQUEST_NAMES, RESPONSE_NAMES } from './settled-fields.ts';

const { conn } = POLICY_CONTEXT;
const facts: VisitorFacts = { scheme: 'http', conn, clientAddr: '', ruledBy: null, fromTrustedProxy: false };
const ADDED =
  `X-Forwarded-For: ${conn.clientIp}\r\nX-Forwarded-Host: a.test\r\nX-Forwarded-Proto: http\r\n` +
  `${HOP_MARK}: tag~signature\r\n`;
const forwarder: Forwarder = { connection: facts, addedLines: () => ADDED };

const NAMES = [
  ['Accept', 'COOKIE', 'cookie', 'User-Agent', 'X-Real-IP', 'x_real_ip', 'X-Forwarded-For', 'x-forwarded-other'],
  ['TE', 'te', 'Upgrade', 'upgrades', 'Keep-Alive', 'Proxy-Authorization', 'Http2-Settings', 'ngrok-auth-x'],
  ['ngrok-error-code', 'NGROK_AUTH_A', 'Postern-Hops', 'Host2', 'Trailer', 'A', 'Content-Type', 'x'.repeat(90)],
].flat();
const name = fc.oneof(fc.constantFrom(...NAMES), fc.stringMatching(/^[A-Za-z][\w-]{0,20}$/));
const value = fc.oneof(
  fc.constantFrom('', 'keep-alive', 'a=b; postern.login=x', 'trailers', 'timeout=5, max=2', '\xe9t\xe9', 'a, b'),
  fc.stringMatching(/^[!-~]{1,12}( [!-~]{1,5})?$/),
);
const line = fc
  .tuple(
    name,
    fc.constantFrom(...Array.from({ length: 9 }, () => ': '), ':', ':\t', ':  '),
    value,
    fc.constantFrom(...Array.from({ length: 9 }, () => ''), ' ', '\t'),
  )
  .map((parts) => parts.join(''));
const connection = fc.constantFrom(
  [],
  [],
  ['Connection: keep-alive'],
  ['connection: Close'],
  ['Connection: accept, x'],
);
const lines = fc
  .tuple(fc.array(line, { maxLength: 8 }), connection, fc.nat(8))
  .map(([all, more, at]) => [...all.slice(0, at), ...more, ...all.slice(at)]);

function requestOf(bytes: Buffer): RequestHead | null {
  let found: RequestHead | null = null;
  const sink = { onHead: (head: RequestHead) => void (found = head), onBody() {}, onTrailers() {}, onEnd() {} };
  createRequestParser(sink, {}, REQUEST_NAMES).execute(bytes, 0, bytes.length);
  return found;
}

function responseOf(bytes: Buffer): ResponseHead | null {
  let found: ResponseHead | null = null;
  const sink = { onHead: (head: ResponseHead) => void (found = head), onBody() {}, onTrailers() {}, onEnd() {} };
  const parser = createResponseParser(sink, {}, RESPONSE_NAMES);
  parser.expect('GET');
  parser.execute(bytes, 0, bytes.length);
  return found;
}

const startLine = fc.constantFrom(
  'HTTP/1.1 200 Fine',
  'HTTP/1.1 200 Fine',
  'HTTP/1.1 200 ',
  'HTTP/1.1 200',
  'HTTP/1.0 200 Fine',
);

/** @param asked when somebody asks for the fields: before they are prepared, behind that, never */
function sent(head: RequestHead, asked: 'before' | 'behind' | 'never'): { text: string; asItCame: boolean } {
  const draft = new RequestDraft(head, 'HTTP/1.1', 'http');
  if (asked === 'before') expect(draft.fields.length).toBeGreaterThan(0);
  const asItCame = draft.passesAsItCame(forwarder);
  if (!asItCame) prepareRequestFields(draft.fields, facts, draft.authority);
  draft.putMark('tag~signature');
  if (asked === 'behind') expect(draft.fields.length).toBeGreaterThan(0);
  expect(draft.untouched).toBe(asItCame && asked === 'never');
  return { text: draft.headText(), asItCame };
}

describe('a head that nobody looks into', () => {
  test('of a request leaves as its list of fields would', () => {
    let passed = 0;
    fc.assert(
      fc.property(
        lines,
        fc.constantFrom('a.test', 'a.test', 'a.test', 'A.test', 'a.test.'),
        fc.boolean(),
        fc.constantFrom('1.1', '1.1', '1.0'),
        (fields, host, chunked, version) => {
          const body = chunked ? 'Transfer-Encoding: chunked\r\n' : '';
          const bytes = Buffer.from(
            `PUT /x?y HTTP/${version}\r\nHost: ${host}\r\n${body}${fields.join('\r\n')}`.trimEnd(),
            'latin1',
          );
          const whole = Buffer.concat([bytes, Buffer.from('\r\n\r\n')]);
          const head = (): RequestHead => requestOf(whole) ?? expect.fail('no head');
          if (requestOf(whole) === null) return;
          const list = sent(head(), 'before');
          expect(list.asItCame).toBe(false);
          const text = sent(head(), 'never');
          expect(text.text).toBe(list.text);
          expect(sent(head(), 'behind').text).toBe(list.text);
          passed += Number(text.asItCame);
        },
      ),
      { numRuns: 2_000 },
    );
    expect(passed).toBeGreaterThan(100);
  });

  test('of an answer leaves as its list of fields would', () => {
    let passed = 0;
    fc.assert(
      fc.property(lines, startLine, fc.boolean(), fc.boolean(), (fields, start, chunked, last) => {
        const whole = Buffer.from(`${start}\r\nServer: s\r\n${fields.join('\r\n')}`.trimEnd(), 'latin1');
        const bytes = Buffer.concat([whole, Buffer.from('\r\n\r\n')]);
        const [came, listed] = [responseOf(bytes), responseOf(bytes)];
        if (came === null || listed === null) return;
        const keepAlive = prepareResponseFields(listed.fields);
        const { status, reason, framing } = listed;
        const list = new ResponseDraft({ status, reason, fields: listed.fields, framing }, false);
        const plain = came.lines?.plain === true;
        if (plain) expect(came.lines?.keepAlive).toBe(keepAlive);
        else prepareResponseFields(came.fields);
        const draft = new ResponseDraft(came, false);
        expect(draft.untouched).toBe(plain);
        const text = list.headText(chunked, last);
        expect(draft.headText(chunked, last)).toBe(text);
        passed += Number(plain);
      }),
      { numRuns: 1_500 },
    );
    expect(passed).toBeGreaterThan(100);
  });

  test.each([
    ['X-Real-IP: 1.2.3.4', false],
    ['x_forwarded_for: 1.2.3.4', false],
    ['ngrok-auth-user-id: root', false],
    ['Connection: x-forwarded-for', false],
    ['Cookie: a=b; postern.login=c', false],
    ['Postern-Hop: x', false],
    ['Cookie: a=b', true],
    ['Connection: keep-alive', true],
    ['Accept:*/*', false],
  ])('with %j: %s', (field, asItCame) => {
    const head = requestOf(Buffer.from(`GET / HTTP/1.1\r\nHost: a.test\r\n${field}\r\n\r\n`)) ?? expect.fail('no head');
    expect(sent(head, 'never').asItCame).toBe(asItCame);
  });
});
