/** What a flag of the agent's commands is, for the command tree and for reading what was typed. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Proto } from '../proto.ts';

export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  /** What its value is called; absent = on or off. */
  readonly value?: string;
  readonly choices?: readonly string[];
  /** May be given several times; `commas`: several in one value, too. */
  readonly many?: 'times' | 'commas';
  /** Commands that have it; all by default. */
  readonly protos?: readonly Proto[];
  readonly help: string;
}

export type FlagValue = string | boolean | readonly string[] | undefined;
/** As commander gives them, by camel-case names. */
export type FlagValues = Readonly<Record<string, FlagValue>>;

export function addFlag(command: Command, flag: Flag, hidden = false): void {
  const option = new Option(`--${flag.name} ${flag.value === undefined ? '[boolean]' : `<${flag.value}>`}`, flag.help);
  if (flag.choices !== undefined) option.choices([...flag.choices]);
  if (flag.value === undefined) {
    option.argParser((text) => {
      if (text === 'true' || text === 'false') return text === 'true';
      throw new InvalidArgumentError('It is true or false.');
    });
  }
  if (flag.many !== undefined) {
    const split = flag.many === 'commas';
    option.argParser((text, before: readonly string[] | undefined) => [
      ...(before ?? []),
      ...(split ? text.split(',').map((part) => part.trim()) : [text]),
    ]);
  }
  command.addOption(hidden ? option.hideHelp() : option);
}

export function textOf(values: FlagValues, name: string): string | undefined {
  const value = values[camelCase(name)];
  return typeof value === 'string' ? value : undefined;
}

export function listOf(values: FlagValues, name: string): readonly string[] | undefined {
  const value = values[camelCase(name)];
  return typeof value === 'object' ? value : undefined;
}

/** `--name`, `--name=true` and `--name=false`; undefined = not given. */
export function switchOf(values: FlagValues, name: string): boolean | undefined {
  const value = values[camelCase(name)];
  return typeof value === 'boolean' ? value : undefined;
}

export function camelCase(name: string): string {
  return name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
