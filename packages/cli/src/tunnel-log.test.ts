import { describe, expect, test } from 'vitest';
import { createTunnelLog, type LogFormat, type LogLevel, type TunnelLog } from './tunnel-log.ts';

function logTo(
  format: LogFormat,
  { level = 'info', isTerminal = false }: { level?: LogLevel; isTerminal?: boolean } = {},
): { log: TunnelLog; out: string[]; err: string[] } {
  const out: string[] = [];
  const err: string[] = [];
  const output = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    isTerminal,
    now: () => 0,
  };
  return { log: createTunnelLog(format, level, output), out, err };
}
const T = '1970-01-01T00:00:00.000Z';

describe('term', () => {
  test('where nobody watches, is the URL alone, easy to cut out', () => {
    const { log, out, err } = logTo('term');
    log.info({ obj: 'csess' }, 'client session established');
    log.online('https://a.test', 'http://localhost:3000', 'command_line');
    expect(out).toEqual(['url=https://a.test']);
    expect(err).toEqual([]);
  });

  test('on a terminal, says where it leads', () => {
    const { log, out } = logTo('term', { isTerminal: true });
    log.online('https://a.test', 'http://localhost:3000', 'command_line');
    expect(out.join('\n')).toContain('Forwarding  https://a.test -> http://localhost:3000');
  });

  test('tells of a lost connection and its return, on stderr', () => {
    const { log, out, err } = logTo('term');
    log.offline('the server closed it', 2512);
    log.offline('refused', 0);
    log.recovered();
    log.warn({ upstream: 'http://localhost:3000', reason: 'ECONNREFUSED' }, 'cannot reach the upstream');
    log.warn({}, 'an older spelling');
    expect(err).toEqual([
      'Not connected: the server closed it. Trying again in 2.5 s.',
      'Not connected: refused. Trying again in 0.1 s.',
      'Connected again.',
      'cannot reach the upstream (upstream=http://localhost:3000 reason=ECONNREFUSED)',
      'an older spelling',
    ]);
    expect(out).toEqual([]);
  });
});

describe('logfmt and json, as programs read them', () => {
  test('logfmt: time, level, words, then the rest; quoted where needed', () => {
    const { log, out } = logTo('logfmt', { level: 'debug' });
    log.online('https://a.test', 'http://localhost:3000', 'command_line');
    log.debug({ empty: '', text: 'a "b"\nc', count: 2 }, 'odd');
    expect(out).toEqual([
      `t=${T} lvl=info msg="started tunnel" obj=tunnels name=command_line addr=http://localhost:3000 url=https://a.test`,
      `t=${T} lvl=dbug msg=odd empty="" text="a \\"b\\"\\nc" count=2`,
    ]);
  });

  test('json: one object a line, keys sorted', () => {
    const { log, out } = logTo('json');
    log.online('https://a.test', 'http://localhost:3000', 'command_line');
    log.offline('gone', 50);
    expect(out).toEqual([
      `{"addr":"http://localhost:3000","lvl":"info","msg":"started tunnel","name":"command_line","obj":"tunnels","t":"${T}","url":"https://a.test"}`,
      `{"err":"gone","lvl":"warn","msg":"session closed, starting reconnect loop","obj":"csess","retry_ms":50,"t":"${T}"}`,
    ]);
  });

  test('leave out what is less severe than asked for', () => {
    const { log, out } = logTo('json', { level: 'warn' });
    log.debug({}, 'a');
    log.info({}, 'b');
    log.warn({}, 'c');
    expect(out.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['c']);
  });
});

test('what ends the process is told people on stderr, its code on a line of its own', () => {
  const term = logTo('term');
  term.log.fatal('the authtoken is not known.\nMake a new one.', 'ERR_NGROK_107');
  expect(term.err).toEqual([
    'ERROR:  the authtoken is not known.',
    'ERROR:  Make a new one.',
    'ERROR:',
    'ERROR:  ERR_NGROK_107',
  ]);
  expect(term.out).toEqual([]);
  const json = logTo('json');
  json.log.fatal('no', '');
  expect(json.err).toEqual(['ERROR:  no']);
  expect(JSON.parse(json.out[0] ?? '')).toMatchObject({ lvl: 'error', err: 'no', msg: 'failed' });
});
