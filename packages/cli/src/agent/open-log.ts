import { createWriteStream, type WriteStream } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { AgentSettings } from '../config/read-config.ts';
import { levelOf, type AgentFlags } from '../flags/agent-flags.ts';
import { createTunnelLog, type TunnelLog, type TunnelOutput } from '../tunnel-log.ts';

export interface OpenLog {
  readonly log: TunnelLog;
  /** Nothing but log lines goes to stdout: there is no place for a console there. */
  readonly linesOnStdout: boolean;
  close(): Promise<void>;
}

/**
 * Where events go (agent-and-ux.md §1.6). For people there are a few words, or a console; as lines that programs read they
 * go where `--log` or the configuration says. Where neither does: to stdout when a format for programs was asked for, when
 * the console is switched off, or when `start` has no terminal, as under a service manager.
 */
export function openLog(
  flags: AgentFlags,
  settings: AgentSettings,
  command: { readonly isStart: boolean; readonly isTerminal: boolean },
): OpenLog {
  const level = flags.logLevel ?? levelOf(settings.log_level ?? '');
  const asked = flags.logFormat ?? settings.log_format ?? 'term';
  const format = asked === 'json' ? 'json' : 'logfmt';
  const byItself =
    asked !== 'term' || settings.console_ui === 'false' || (command.isStart && !command.isTerminal)
      ? 'stdout'
      : 'false';
  const where =
    flags.log ?? (flags.logFormat !== undefined && flags.logFormat !== 'term' ? 'stdout' : (settings.log ?? byItself));
  const words = createTunnelLog('term', level);
  const done = async (): Promise<void> => {};
  switch (where) {
    case 'stdout':
    case 'true':
      return { log: createTunnelLog(format, level), linesOnStdout: true, close: done };
    case 'false':
    case '':
      return { log: words, linesOnStdout: false, close: done };
    case 'stderr': {
      const lines = createTunnelLog(
        format,
        level,
        linesTo((text) => void process.stderr.write(`${text}\n`)),
      );
      return { log: both(words, lines), linesOnStdout: false, close: done };
    }
    default: {
      const file = createWriteStream(path.resolve(where), { flags: 'a', mode: 0o600 });
      file.on('error', (error) => words.warn({ file: where, err: error.message }, 'the log cannot be written'));
      const lines = createTunnelLog(
        format,
        level,
        linesTo((text) => void file.write(`${text}\n`)),
      );
      return { log: both(words, lines), linesOnStdout: false, close: () => ended(file) };
    }
  }
}

/** Words for people are said elsewhere. */
function linesTo(out: (text: string) => void): TunnelOutput {
  return { out, err: () => {}, isTerminal: false, now: Date.now };
}

function both(words: TunnelLog, lines: TunnelLog): TunnelLog {
  return {
    debug: (...event) => lines.debug(...event),
    info: (...event) => lines.info(...event),
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
