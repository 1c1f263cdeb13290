import { createWriteStream, type WriteStream } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { AgentSettings } from '../config/read-config.ts';
import { levelOf, type AgentFlags } from '../flags/agent-flags.ts';
import { createTunnelLog, type LogLevel, type TunnelLog, type TunnelOutput } from '../tunnel-log.ts';

export interface OpenLog {
  readonly log: TunnelLog;
  close(): Promise<void>;
}

/**
 * Where events go as lines that programs read (agent-and-ux.md §1.6): `stdout`, `stderr`, a file, or `false`. Where neither
 * `--log` nor the configuration says it: to stdout when a format for programs was asked for, when the console is switched
 * off, or when `start` has no terminal, as under a service manager.
 */
export function whereLinesGo(
  flags: AgentFlags,
  settings: AgentSettings,
  command: { readonly isStart: boolean; readonly isTerminal: boolean },
): string {
  if (flags.log !== undefined) return flags.log === 'true' ? 'stdout' : flags.log;
  if (flags.logFormat !== undefined && flags.logFormat !== 'term') return 'stdout';
  const asked = flags.logFormat ?? settings.log_format ?? 'term';
  const byItself = asked !== 'term' || settings.console_ui === 'false' || (command.isStart && !command.isTerminal);
  return settings.log ?? (byItself ? 'stdout' : 'false');
}

/** @param words for people, where lines for programs do not take their place */
export function openLog(where: string, flags: AgentFlags, settings: AgentSettings, words: TunnelLog): OpenLog {
  const level = levelFor(flags, settings);
  const format = (flags.logFormat ?? settings.log_format) === 'json' ? 'json' : 'logfmt';
  const done = async (): Promise<void> => {};
  switch (where) {
    case 'stdout':
    case 'true':
      return { log: createTunnelLog(format, level), close: done };
    case 'false':
    case '':
      return { log: words, close: done };
    case 'stderr': {
      const lines = createTunnelLog(
        format,
        level,
        linesTo((text) => void process.stderr.write(`${text}\n`)),
      );
      return { log: both(words, lines), close: done };
    }
    default: {
      const file = createWriteStream(path.resolve(where), { flags: 'a', mode: 0o600 });
      file.on('error', (error) => words.warn({ file: where, err: error.message }, 'the log cannot be written'));
      const lines = createTunnelLog(
        format,
        level,
        linesTo((text) => void file.write(`${text}\n`)),
      );
      return { log: both(words, lines), close: () => ended(file) };
    }
  }
}

export function levelFor(flags: AgentFlags, settings: AgentSettings): LogLevel {
  return flags.logLevel ?? levelOf(settings.log_level ?? '');
}

/** Words for people are said elsewhere. */
function linesTo(out: (text: string) => void): TunnelOutput {
  return { out, err: () => {}, isTerminal: false, now: Date.now };
}

function both(words: TunnelLog, lines: TunnelLog): TunnelLog {
  return {
    debug: (...event) => lines.debug(...event),
    info(...event) {
      words.info(...event);
      lines.info(...event);
    },
    warn(...event) {
      words.warn(...event);
      lines.warn(...event);
    },
    online(...event) {
      words.online(...event);
      lines.online(...event);
    },
    offline(...event) {
      words.offline(...event);
      lines.offline(...event);
    },
    recovered() {
      words.recovered();
      lines.recovered();
    },
    fatal(...event) {
      lines.fatal(...event);
      words.fatal(...event);
    },
  };
}

function ended(file: WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (file.destroyed) resolve();
    else {
      file.once('close', resolve);
      file.end();
    }
  });
}
