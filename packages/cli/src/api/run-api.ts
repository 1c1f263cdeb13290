/** `postern api`: one command for each call of the REST API, made of the definitions that the API itself is made of. */
import process from 'node:process';
import { Command } from 'commander';
import { RESOURCES, type Resource, type Verb } from '@postern/resources';
import { normalizeArgv } from '../argv.ts';
import { CONFIG_FLAG, LOG_FLAGS } from '../flags/agent-flags.ts';
import { addFlag, listOf, switchOf, textOf, type Flag, type FlagValues } from '../flags/flag.ts';
import { messageOf } from '../problem.ts';
import { UsageError } from '../usage-error.ts';
import { callApi, type Answer } from './call.ts';
import { bodyOf, fileFlagsOf, flagsOf, kebab } from './fields.ts';
import { type ApiPlace, findApi } from './find-api.ts';

const COMMON: readonly Flag[] = [
  {
    name: 'api-url',
    value: 'url',
    help: 'the API (default: of the configuration, else of the local server) [POSTERN_API_URL]',
  },
  { name: 'api-key', value: 'key', help: 'API key (default: the one stored for that API) [POSTERN_API_KEY]' },
  { name: 'json', help: 'print JSON alone' },
  CONFIG_FLAG,
];

const LIST: readonly Flag[] = [
  { name: 'limit', value: 'number', help: 'most rows (default: all, page after page)' },
  { name: 'before-id', value: 'id', help: 'rows behind this one' },
];

/** Rows of a page, as many as there can be. */
const PAGE = 100;

export async function runApi(args: readonly string[]): Promise<void> {
  const program = createApiProgram();
  if (args.length === 0) {
    program.outputHelp();
    return;
  }
  await program.parseAsync(normalizeArgv(program, args), { from: 'user' });
}

/** The tree below `postern api`. */
export function createApiProgram(): Command {
  const program = new Command('postern api')
    .description('call the REST API: postern api endpoints list')
    .showHelpAfterError('(run with --help to see what is possible)')
    .enablePositionalOptions()
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
  for (const resource of RESOURCES) addResource(program, resource);
  return program;
}

function addResource(program: Command, resource: Resource): void {
  const group = program.command(kebab(resource.name)).description(resource.doc);
  const parents = [...resource.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const at = (ids: readonly string[]): string => {
    const [...rest] = ids;
    const route = resource.path.replaceAll(/\{\w+\}/g, () => encodeURIComponent(rest.shift() ?? ''));
    return [route, ...rest.map((id) => encodeURIComponent(id))].join('/');
  };
  for (const verb of resource.verbs) addVerb(group, resource, verb, parents, at);
  for (const { name, doc } of resource.actions ?? []) {
    const command = group.command(name).description(doc).argument('<id>');
    act(command, (place, [id = '']) => callApi(place, 'POST', `${at([id])}/${name}`, {}));
  }
}

function addVerb(
  group: Command,
  resource: Resource,
  verb: Verb,
  parents: readonly string[],
  at: (ids: readonly string[]) => string,
): void {
  const command = group.command(verb).description(`${verb === 'list' ? 'all' : verb} ${resource.title}`);
  for (const name of parents) command.argument(`<${name}>`);
  if (verb !== 'list' && verb !== 'create') command.argument('<id>', `of the ${resource.title}`);
  const call = verb === 'create' || verb === 'update' ? verb : null;
  if (call !== null) {
    for (const flag of flagsOf(resource.fields, call)) addFlag(command, flag);
    const files = fileFlagsOf(resource.fields, call);
    for (const flag of files) addFlag(command, flag, true);
    if (files.length > 0)
      command.addHelpText('after', '\nEach text may come from a file: --NAME-file FILE, - is what comes in.');
  }
  if (verb === 'list') {
    for (const flag of LIST) addFlag(command, flag);
    if (resource.filter !== null) addFlag(command, { name: 'filter', value: 'cel', help: 'expression over obj' });
    for (const name of Object.keys(resource.lists ?? {}))
      addFlag(command, { name: kebab(name), value: 'text', many: 'times', help: `only these ${name}` });
  }
  const calls: Readonly<Record<Verb, Act>> = {
    list: (place, ids, values) => listAll(place, resource, at(ids), values),
    get: (place, ids) => callApi(place, 'GET', at(ids)),
    delete: (place, ids) => callApi(place, 'DELETE', at(ids)),
    create: async (place, ids, values) =>
      callApi(place, 'POST', at(ids), await bodyOf(resource.fields, 'create', values)),
    update: async (place, ids, values) =>
      callApi(place, 'PATCH', at(ids), await bodyOf(resource.fields, 'update', values)),
  };
  act(command, calls[verb]);
}

/** The pages of a list, as one answer. */
async function listAll(place: ApiPlace, resource: Resource, route: string, values: FlagValues): Promise<Answer> {
  const limit = limitOf(textOf(values, 'limit'));
  const query = new URLSearchParams({ limit: String(Math.min(PAGE, limit)) });
  for (const name of ['before-id', 'filter']) {
    const value = textOf(values, name);
    if (value !== undefined) query.set(name.replace('-', '_'), value);
  }
  for (const [name, [spelling = name]] of Object.entries(resource.lists ?? {}))
    for (const value of listOf(values, kebab(name)) ?? []) query.append(spelling, value);
  const key = resource.listKey ?? resource.name;
  const rows: unknown[] = [];
  let next: string | null = `${route}?${query.toString()}`;
  let answer: Answer | null = null;
  while (next !== null && rows.length < limit) {
    answer = await callApi(place, 'GET', next);
    if (answer.status !== 200) return answer;
    const found = memberOf(answer.body, key);
    if (Array.isArray(found)) rows.push(...found);
    const page = memberOf(answer.body, 'next_page_uri');
    next = typeof page === 'string' && page !== '' ? page : null;
  }
  const body = { [key]: rows.slice(0, limit), uri: memberOf(answer?.body, 'uri'), next_page_uri: next };
  return { status: 200, reason: answer?.reason ?? 'OK', body };
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`--limit ${text}: it is a number from 1 on.`);
  return Number(text);
}

type Act = (place: ApiPlace, ids: readonly string[], values: FlagValues) => Promise<Answer>;

function act(command: Command, run: Act): void {
  for (const flag of COMMON) addFlag(command, flag);
  for (const flag of LOG_FLAGS) addFlag(command, flag, true);
  command.action(async () => {
    const values = command.opts<FlagValues>();
    try {
      const flags = {
        apiUrl: textOf(values, 'api-url'),
        apiKey: textOf(values, 'api-key'),
        config: listOf(values, 'config'),
      };
      show(await run(await findApi(flags), command.args, values), switchOf(values, 'json') === true);
    } catch (error) {
      process.stderr.write(`postern api: ${messageOf(error)}\n`);
      process.exitCode = error instanceof UsageError ? 2 : 1;
    }
  });
}

/** The status line, then JSON, as wrappers read it; what is refused goes to stderr, too. */
function show({ status, reason, body }: Answer, json: boolean): void {
  const refused = status < 200 || status > 299;
  const head = json ? '' : `${status} ${reason}\n\n`;
  process.stdout.write(body === null ? head : `${head}${JSON.stringify(body, null, 2)}\n`);
  if (!refused) return;
  const message = memberOf(body, 'msg');
  const code = memberOf(body, 'error_code');
  const words = typeof message === 'string' && message !== '' ? message : `${status} ${reason}`;
  process.stderr.write(`ERROR:  ${words}\n${typeof code === 'string' ? `ERROR:\nERROR:  ${code}\n` : ''}`);
  process.exitCode = 1;
}

function memberOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null
    ? new Map<string, unknown>(Object.entries(body)).get(name)
    : undefined;
}
