import { UsageError } from '../usage-error.ts';
import type { Trouble } from './kinds.ts';

/** What is wrong with a configuration file: one line for each trouble, as editors read them. */
export class ConfigProblem extends UsageError {
  /** Keys that nobody knows, when nothing else is wrong. */
  readonly unknown: readonly Trouble[];

  constructor(lines: readonly string[], unknown: readonly Trouble[] = []) {
    super(lines.join('\n'));
    this.unknown = unknown;
  }
}
