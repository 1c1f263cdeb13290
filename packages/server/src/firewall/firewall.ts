/** The firewall that policies ask, of the rules that the operator has given. */
import process from 'node:process';
import { compileRules, createFirewall, type Firewall, RulesProblem } from '@postern/seclang';
import { ConfigError } from '../config/config-error.ts';
import { flagOf } from '../config/options.ts';
import type { Logger } from '../log.ts';
import { dataFile, ruleFiles } from './rule-files.ts';

/** What this thread has worked: time that other programs took is not the visitor's. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/**
 * Compiles the rules once, for all policies.
 * @throws ConfigError with the file and the line of what is wrong
 */
export function openFirewall(paths: readonly string[], log: Logger): Firewall {
  const started = performance.now();
  try {
    const rules = compileRules(ruleFiles(paths), dataFile);
    log.info({ rules: rules.size, ms: Math.round(performance.now() - started) }, 'firewall rules are loaded');
    if (rules.notRun.length > 0) {
      log.warn(
        { rules: rules.notRun.map(({ id, reason }) => `${id}: ${reason}`) },
        'some firewall rules are not run: docs/operate.md',
      );
    }
    return createFirewall(rules, threadMs);
  } catch (error) {
    if (error instanceof RulesProblem) throw new ConfigError(flagOf('owasp_crs'), '', error.message);
    throw error;
  }
}
