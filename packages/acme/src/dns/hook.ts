/** A program that sets records, called as lego's exec provider calls it: `present|cleanup <fqdn>. <value>`. */
import { execFile } from 'node:child_process';
import process from 'node:process';
import type { DnsWay } from '../types.ts';

/** It may have to wait until its provider's servers know. */
const TIMEOUT_MS = 300_000;
const MOST_OUTPUT = 65_536;
const MOST_WORDS = 300;

export function hookWay(program: string): DnsWay {
  const run = (what: 'present' | 'cleanup', name: string, value: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const options = { timeout: TIMEOUT_MS, maxBuffer: MOST_OUTPUT, env: surroundings() };
      execFile(program, [what, `${name}.`, value], options, (error, _out, errors) => {
        if (error === null) return resolve();
        const words = errors.trim().split('\n').at(-1) ?? '';
        reject(new Error(`--dns-hook ${what}: ${(words || error.message).slice(0, MOST_WORDS)}`));
      });
    });
  return {
    title: '--dns-hook',
    delegated: false,
    present: (name, value) => run('present', name, value),
    cleanup: (name, value) => run('cleanup', name, value),
  };
}

/** What the program needs of its provider is in the environment; what is this server's own is not its business. */
function surroundings(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('POSTERN_')));
}
