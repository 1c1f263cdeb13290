/** What is wrong with a file of rules, and where. */
export class RulesProblem extends Error {
  /** As it was given, for people. */
  readonly file: string;
  /** From 1 on; 0 = all of it. */
  readonly line: number;

  constructor(file: string, line: number, reason: string) {
    super(line === 0 ? `${file}: ${reason}` : `${file}:${line}: ${reason}`);
    this.name = 'RulesProblem';
    this.file = file;
    this.line = line;
  }
}

/** Wrong in itself; whoever knows the place adds it. */
export class Mistake extends Error {}

/**
 * Right, but nothing that is run here (a pattern that RE2 has no words for): the rule is left out, and named to whoever
 * operates the server.
 */
export class NotRun extends Error {}
