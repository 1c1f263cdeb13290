import { describe, expect, test } from 'vitest';
import { createLogger, type LogLevel } from './log.ts';

function logTo(format: 'pretty' | 'json', level: LogLevel = 'info', colour = false) {
  const lines: string[] = [];
  const log = createLogger({ format, level }, { write: (line) => void lines.push(line), colour });
  return { log, lines };
}

describe('json', () => {
  test('is one object a line: level by name, time, subsystem, fields, words', () => {
    const { log, lines } = logTo('json');
    log.child({ sub: 'edge' }).info({ session: 'ts_1' }, 'agent connected');
    log.debug({}, 'not asked for');
    expect(lines).toHaveLength(1);
    expect(lines[0]?.endsWith('}\n')).toBe(true);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      sub: 'edge',
      session: 'ts_1',
      msg: 'agent connected',
    });
  });

  test('holds errors with their stack', () => {
    const { log, lines } = logTo('json');
    log.error({ err: new Error('broken') }, 'failed');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'error', err: { message: 'broken' }, msg: 'failed' });
  });
});

describe('pretty', () => {
  test('reads as a sentence with fields behind it', () => {
    const { log, lines } = logTo('pretty');
    log.child({ sub: 'control' }).warn({ url: 'https://a.test', count: 2 }, 'taken');
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d warn {2}control: taken url=https:\/\/a\.test count=2\n$/);
  });

  test('does not let a visitor draw on the terminal', () => {
    const { log, lines } = logTo('pretty');
    log.info({ path: '/\u001B[2J\nfake line', host: 'two words' }, 'request');
    expect(lines[0]?.split('\n')).toHaveLength(2);
    expect(lines[0]).not.toContain('\u001B');
    expect(lines[0]).toContain('host="two words"');
  });

  test('colours what is out of the ordinary, where colours are seen', () => {
    const { log, lines } = logTo('pretty', 'info', true);
    log.info({}, 'usual');
    log.error({ err: new Error('broken') }, 'failed');
    expect(lines[0]).not.toContain('\u001B');
    expect(lines[1]?.startsWith('\u001B[31m')).toBe(true);
    expect(lines[1]).toContain(' ERROR failed\nError: broken\n');
    expect(lines[1]?.endsWith('\u001B[0m\n')).toBe(true);
  });
});
