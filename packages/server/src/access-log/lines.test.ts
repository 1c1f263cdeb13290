import { describe, expect, test } from 'vitest';
import { type Accessed, combinedLine, jsonLine } from './lines.ts';
import { refererWithoutSecrets, withoutSecrets } from './redact.ts';

const EVENT: Accessed = {
  kind: 'http',
  endpointId: 'ep_1',
  accountId: 'ac_1',
  startedAt: Date.UTC(2026, 10, 29, 12, 0, 1, 5),
  durationMs: 7,
  clientAddr: '10.0.0.1:4711',
  bytesIn: 3,
  bytesOut: 4,
  method: 'GET',
  host: 'app.test',
  path: '/a',
  status: 200,
  errorCode: '',
  reason: 'complete',
  access: {
    clientIp: '2001:db8::1',
    scheme: 'https',
    protocol: 'HTTP/2.0',
    query: '?b=1',
    userAgent: 'curl/8',
    referer: 'https://ref.test/',
    requestId: 'r-1',
    tlsVersion: '1.3',
    sessionId: 'ts_1',
    headMs: 5,
  },
};
const changed = (access: Partial<Accessed['access']>, event: Partial<Accessed> = {}): Accessed => ({
  ...EVENT,
  ...event,
  access: { ...EVENT.access, ...access },
});

test('JSON has every member, and of connections those that they have', () => {
  expect(JSON.parse(jsonLine(EVENT))).toEqual({
    time: '2026-11-29T12:00:01.005Z',
    kind: 'http',
    client: '2001:db8::1',
    peer: '10.0.0.1:4711',
    host: 'app.test',
    scheme: 'https',
    method: 'GET',
    path: '/a',
    query: '?b=1',
    protocol: 'HTTP/2.0',
    status: 200,
    head_ms: 5,
    user_agent: 'curl/8',
    referer: 'https://ref.test/',
    request_id: 'r-1',
    tls: '1.3',
    bytes_in: 3,
    bytes_out: 4,
    ms: 7,
    endpoint: 'ep_1',
    session: 'ts_1',
    end: 'complete',
    error: '',
  });
  const connection = JSON.parse(jsonLine({ ...EVENT, kind: 'tcp' }));
  expect(connection).toMatchObject({ kind: 'tcp', bytes_in: 3, session: 'ts_1' });
  expect(connection).not.toHaveProperty('status');
});

test('combined lines are those of other servers', () => {
  expect(combinedLine(EVENT)).toBe(
    '2001:db8::1 - - [29/Nov/2026:12:00:01 +0000] "GET /a?b=1 HTTP/2.0" 200 4 "https://ref.test/" "curl/8"\n',
  );
  expect(combinedLine(changed({ userAgent: '', referer: '' }, { status: 0 }))).toMatch(/" 000 4 "-" "-"\n$/);
  expect(combinedLine(changed({ userAgent: '', referer: '' }, { kind: 'tcp', host: '' }))).toMatch(
    /"TCP ep_1 -" - 4 "-" "-"\n$/,
  );
});

describe('what visitors send', () => {
  const hostile = 'a"b\\c\nd\u001b[31m\u009b\u00e4\u2028';

  test('neither ends a line nor draws on a terminal, and comes back from JSON as it was', () => {
    const line = jsonLine(changed({ userAgent: hostile, referer: hostile, requestId: hostile }, { path: hostile }));
    expect(line).toMatch(/^[\u0020-\u007e]+\n$/);
    expect(JSON.parse(line)).toMatchObject({ user_agent: hostile, path: hostile, request_id: hostile });
    const combined = combinedLine(changed({ userAgent: hostile }));
    expect(combined).toMatch(/^[\u0020-\u007e]+\n$/);
    expect(combined).toContain('"a\\x22b\\x5Cc\\x0Ad\\x1B[31m\\x9B\\xE4\\xE2\\x80\\xA8"');
  });

  test('takes a bounded part of a line', () => {
    expect(jsonLine(changed({ userAgent: 'x'.repeat(100_000) }, { path: 'y'.repeat(100_000) })).length).toBeLessThan(
      6_000,
    );
  });
});

describe('secrets of queries are not written', () => {
  test.each([
    ['?a=1&token=x&b=2', '?a=1&token=***&b=2'],
    ['?token=x', '?token=***'],
    ['?code=x&state=y', '?code=***&state=y'],
    ['?Access_Token=x', '?Access_Token=***'],
    ['?X-Amz-Signature=x&X-Amz-Date=y', '?X-Amz-Signature=***&X-Amz-Date=y'],
    ['?user%5Bpassword%5D=x', '?user%5Bpassword%5D=***'],
    ['?token', '?token'],
    ['?token=a=b', '?token=***'],
    ['?decode=1&monkey=2', '?decode=1&monkey=2'],
    ['?&=&', '?&=&'],
    ['', ''],
  ])('%s', (query, written) => {
    expect(withoutSecrets(query)).toBe(written);
  });

  test('nor those of referrers', () => {
    expect(refererWithoutSecrets('https://ada:pw@h.test/p?token=x#y')).toBe('https://***@h.test/p?token=***');
    expect(refererWithoutSecrets('https://h.test/@home?q=1')).toBe('https://h.test/@home?q=1');
    expect(refererWithoutSecrets('nonsense')).toBe('nonsense');
  });
});
