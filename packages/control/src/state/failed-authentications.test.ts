import { fail } from '@postern/errors';
import { expect, test } from 'vitest';
import { FailedAuthentications } from './failed-authentications.ts';

function watched() {
  const lines: object[] = [];
  const clock = { now: 0 };
  const log = { warn: (fields: object) => void lines.push(fields), info() {}, error() {}, debug() {} };
  return { lines, clock, failed: new FailedAuthentications({ log, now: () => clock.now }) };
}

test('a source is named once a minute, with what it did meanwhile', () => {
  const { lines, clock, failed } = watched();
  for (let count = 0; count < 5; count += 1) failed.note('agent', '192.0.2.1:4711', fail(107));
  failed.note('api', '192.0.2.1', fail(203, { masked: '"…"' }));
  failed.note('agent', '[2001:db8::1]:4711', fail(105));
  clock.now = 60_000;
  failed.note('agent', '::ffff:192.0.2.1', fail(107));
  expect(lines).toEqual([
    { door: 'agent', from: '192.0.2.1', code: 'ERR_NGROK_107', failures: 1 },
    { door: 'api', from: '192.0.2.1', code: 'ERR_NGROK_203', failures: 1 },
    { door: 'agent', from: '2001:db8::1', code: 'ERR_NGROK_105', failures: 1 },
    { door: 'agent', from: '192.0.2.1', code: 'ERR_NGROK_107', failures: 5 },
  ]);
  expect(failed.counts).toEqual({ agent: 7, api: 1 });
});

test('what is no wrong credential is none', () => {
  const { lines, failed } = watched();
  for (const error of [fail(108, { limit: 1 }), fail(90071), new Error('ours')])
    failed.note('agent', '192.0.2.1', error);
  expect([lines, failed.counts.agent]).toEqual([[], 0]);
});

test('many sources neither fill the log nor memory', () => {
  const { lines, failed } = watched();
  for (let count = 0; count < 20_000; count += 1) failed.note('agent', `2001:db8::${count.toString(16)}`, fail(107));
  expect([lines.length, failed.counts.agent]).toEqual([1_000, 20_000]);
});
