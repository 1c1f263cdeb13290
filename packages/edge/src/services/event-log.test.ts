import { describe, expect, it } from 'vitest';
import { SILENT_LOG } from '../testing/fixtures.ts';
import { EventLog } from './event-log.ts';

function logged(): { readonly log: EventLog; readonly lines: object[]; readonly clock: { now: number } } {
  const lines: object[] = [];
  const clock = { now: 0 };
  const log = new EventLog({ ...SILENT_LOG, info: (fields) => void lines.push(fields) }, () => clock.now);
  return { log, lines, clock };
}

const event = (endpointId: string, fields: Readonly<Record<string, unknown>> = { a: 1 }) => ({
  type: 'log',
  endpointId,
  fields,
});

describe('events', () => {
  it('are lines of the log', () => {
    const { log, lines } = logged();
    log.emit(event('ep_1', { user: 'u1', nested: { list: [1, 'two'] } }));
    expect(lines).toEqual([{ endpoint: 'ep_1', event: 'log', fields: { user: 'u1', nested: { list: [1, 'two'] } } }]);
    expect(log.lost).toBe(0);
  });

  it('of one endpoint leave room for those of others, and for themselves a second later', () => {
    const { log, lines, clock } = logged();
    for (let n = 0; n < 1000; n++) log.emit(event('ep_flood'));
    log.emit(event('ep_other'));
    expect([lines.length, log.lost]).toEqual([51, 950]);
    clock.now += 1000;
    log.emit(event('ep_flood'));
    log.emit(event('ep_flood'));
    expect(lines.slice(-2)).toEqual([
      { endpoint: 'ep_flood', event: 'log', fields: { a: 1 }, left_out: 950 },
      { endpoint: 'ep_flood', event: 'log', fields: { a: 1 } },
    ]);
  });

  it('have a bound for all endpoints together', () => {
    const { log, lines } = logged();
    for (let n = 0; n < 3000; n++) log.emit(event(`ep_${n}`));
    expect([lines.length, log.lost]).toEqual([200, 2800]);
  });

  it('that are too large, or no data, are lost and throw nothing', () => {
    const { log, lines } = logged();
    log.emit(event('ep_1', { text: 'x'.repeat(20_000) }));
    log.emit(event('ep_1', { number: 1n }));
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    log.emit(event('ep_1', circle));
    expect([lines.length, log.lost]).toEqual([0, 3]);
    log.emit(event('ep_1'));
    expect(lines).toMatchObject([{ left_out: 3 }]);
  });
});
