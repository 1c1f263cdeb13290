/** What people type, as the command tree takes it (agent-and-ux.md §1.1, §7). */
import type { Command, Option } from 'commander';

/** Commands whose --config is a file of the server's. */
const OWN_CONFIG = new Set(['server', 'backup', 'restore']);

/**
 * - options before the command, or between its words, are those of the last word: `--config F start`, `config --log … check`;
 * - a switch takes no value of its own: `--inspect 3000` is `--inspect=true 3000`;
 * - one dash before a long name is two: `-config F`, as agents before version 3 had it.
 */
export function normalizeArgv(program: Command, args: readonly string[]): readonly string[] {
  const dashes = args.indexOf('--');
  const own = dashes === -1 ? args : args.slice(0, dashes);
  const rest = dashes === -1 ? [] : args.slice(dashes);
  const command = commandOf(program, own);
  if (command === program || OWN_CONFIG.has(command.name())) return args;
  const options = new Map(command.options.map((option) => [option.long ?? '', option]));
  const words: string[] = [];
  const early: string[] = [];
  let depth = depthOf(command);
  for (let at = 0; at < own.length; at += 1) {
    const typed = own[at] ?? '';
    const option = optionOf(typed, options);
    if (option === null) {
      words.push(typed);
      if (!typed.startsWith('-')) depth -= 1;
      continue;
    }
    const { long, value } = option;
    const follows = value === undefined && takesValue(options.get(long)) ? own[(at += 1)] : undefined;
    const written =
      value !== undefined
        ? [`${long}=${value}`]
        : takesValue(options.get(long))
          ? [long, ...(follows === undefined ? [] : [follows])]
          : [isSwitch(options.get(long)) ? `${long}=true` : long];
    (depth > 0 ? early : words).push(...written);
  }
  return [...words, ...early, ...rest];
}

/** Where the word `api` stands when it is the command; options may be before it. null = another command. */
export function placeOfApi(program: Command, args: readonly string[]): number | null {
  if (commandOf(program, args).name() !== 'api') return null;
  const at = args.indexOf('api');
  return at === -1 ? null : at;
}

/** The command that the words lead to, whatever options are between them. */
function commandOf(program: Command, args: readonly string[]): Command {
  let command = program;
  for (let at = 0; at < args.length; at += 1) {
    const typed = args[at] ?? '';
    if (typed.startsWith('-')) {
      // Any command's option of this name says whether a value follows.
      const long = longName(typed);
      if (!typed.includes('=') && optionAnywhere(program, long)?.required === true) at += 1;
      continue;
    }
    const next = command.commands.find((one) => one.name() === typed || one.aliases().includes(typed));
    if (next === undefined) return command;
    command = next;
  }
  return command;
}

function optionAnywhere(command: Command, long: string): Option | undefined {
  const own = command.options.find((option) => option.long === long && option.required);
  return own ?? command.commands.map((one) => optionAnywhere(one, long)).find((found) => found !== undefined);
}

function optionOf(
  typed: string,
  options: ReadonlyMap<string, Option>,
): { readonly long: string; readonly value: string | undefined } | null {
  if (!/^-.{2}/.test(typed)) return null;
  const equals = typed.indexOf('=');
  const long = longName(typed);
  if (!options.has(long)) return null;
  return { long, value: equals === -1 ? undefined : typed.slice(equals + 1) };
}

/** `-config`, `--config`, `--config=F` → `--config` */
const longName = (typed: string): string => `--${typed.replace(/^--?/, '').split('=', 1)[0] ?? ''}`;

const takesValue = (option: Option | undefined): boolean => option?.required === true;
const isSwitch = (option: Option | undefined): boolean => option?.optional === true;

function depthOf(command: Command): number {
  return command.parent === null ? 0 : depthOf(command.parent) + 1;
}
