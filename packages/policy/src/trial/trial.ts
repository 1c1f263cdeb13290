/**
 * Runs a policy once, without a server: the same compiled rules and the same runner as in the edge, over plain values,
 * in the order of the edge's pipeline (docs/design.md §3).
 */
import { buffer } from 'node:stream/consumers';
import { fail, isPosternError, type PosternError } from '@postern/errors';
import { compileTraced } from '../compile.ts';
import type { CompiledPolicy, CompileOptions, Outcome, PhaseRun } from '../runtime.ts';
import { TrialRequest, TrialResponse, trialContext, type TrialContext } from './context.ts';
import { trialCookies } from './logins.ts';
import { filtered } from './filtered.ts';
import { judgedMessages } from './messages.ts';
import type { Given, GivenAnswer } from './given.ts';
import type { HeaderLines } from './headers.ts';
import { plainOf, type Plain } from './plain.ts';
import { Recording, type RuleReport } from './report.ts';
import { trialServices, type TrialServices } from './services.ts';

/** What a service was asked. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: HeaderLines;
  readonly body: string;
}

export interface Verdict {
  /** 'connected' = bytes of a tcp or tls endpoint pass to its service. */
  readonly kind: 'answered' | 'closed' | 'connected';
  /** 0 = no answer. */
  readonly status: number;
  /** `ERR_NGROK_<n>` of the page that was answered; '' = none was. */
  readonly error: string;
  readonly headers: HeaderLines;
  readonly body: string;
  /** Where it was forwarded last; null = nowhere. */
  readonly forward: string | null;
  /** The last one that a service got, the forward's or the endpoint's own; null = none did. */
  readonly service: Asked | null;
  readonly vars: Readonly<Record<string, Plain>>;
  /** By the segment after `actions.ngrok.`. */
  readonly results: Readonly<Record<string, Plain>>;
  readonly logs: readonly Plain[];
}

export interface Trial {
  readonly verdict: Verdict;
  readonly rules: readonly RuleReport[];
  /** Expressions that failed, and what else the server would log. */
  readonly warnings: readonly string[];
  /** What the policy asked for and the trial was not given. */
  readonly notes: readonly string[];
}

/** @throws PosternError as compilePolicy */
export async function tryPolicy(source: string | object, options: CompileOptions, given: Given): Promise<Trial> {
  const recording = new Recording();
  const policy = compileTraced(source, options, recording);
  const around = trialServices(given);
  let warnings: string[] = [];
  let verdict = await new Run(policy, options, given, around, warnings).verdict(recording);
  for (let time = 1; time < given.times; time++) {
    recording.forget();
    warnings = [];
    around.logs.length = 0;
    verdict = await new Run(policy, options, given, around, warnings).verdict(recording);
  }
  return { verdict, rules: recording.rules, warnings, notes: [...around.notes] };
}

/** One connection with one request on it. */
class Run {
  readonly #policy: CompiledPolicy;
  readonly #options: CompileOptions;
  readonly #given: Given;
  readonly #around: TrialServices;
  readonly #context: TrialContext;
  readonly #connect: TrialContext;
  #forward: string | null = null;
  #service: Asked | null = null;
  #error = '';

  constructor(
    policy: CompiledPolicy,
    options: CompileOptions,
    given: Given,
    around: TrialServices,
    warnings: string[],
  ) {
    this.#policy = policy;
    this.#options = options;
    this.#given = given;
    this.#around = around;
    this.#context = trialContext(given, options, around.services, warnings);
    this.#connect = trialContext(given, options, { ...around.services, outgoing: null }, warnings);
  }

  async verdict(recording: Recording): Promise<Verdict> {
    const kind = await this.#kind();
    const { res, req } = this.#context;
    const answered = kind === 'answered' && res !== null;
    const body = answered ? await this.#body(res) : '';
    const results = new Map([...(this.#connect.results ?? []), ...(this.#context.results ?? [])]);
    return {
      kind,
      status: answered ? res.statusCode : 0,
      error: this.#error,
      headers: answered ? [...res.headers.entries(), ...(req?.answerHeaders ?? [])] : [],
      body,
      forward: this.#forward,
      service: this.#service,
      vars: Object.fromEntries(recording.vars),
      results: Object.fromEntries([...results].map(([key, value]) => [key, plainOf(value)])),
      logs: [...this.#around.logs],
    };
  }

  async #body({ filters, body: sent }: TrialResponse): Promise<string> {
    const { body, cut } = await judgedMessages(this.#policy.onEventStreamMessage, this.#context, sent);
    if (cut !== '') this.#error = cut;
    return (await filtered(filters, body)).toString('utf8');
  }

  async #kind(): Promise<Verdict['kind']> {
    const connect = (await this.#policy.onTcpConnect?.start(this.#connect).next()) ?? { kind: 'continue' };
    const { protocol } = this.#options;
    const web = protocol === 'http' || protocol === 'https';
    if (connect.kind === 'forward') this.#forward = connect.to.url;
    else if (connect.kind === 'error') {
      this.#error = connect.error.code;
      return 'closed';
    } else if (connect.kind !== 'continue') return 'closed';
    return web ? this.#request() : 'connected';
  }

  async #request(): Promise<Verdict['kind']> {
    const { request, now } = this.#given;
    this.#context.req = new TrialRequest(request, now, trialCookies(this.#given));
    const run = this.#policy.onHttpRequest?.start(this.#context) ?? null;
    const outcome: Outcome = (await run?.next()) ?? { kind: 'continue' };
    return (await this.#settle(outcome, run)) ? 'answered' : 'closed';
  }

  /** @returns whether there is an answer */
  async #settle(outcome: Outcome, run: PhaseRun | null): Promise<boolean> {
    switch (outcome.kind) {
      case 'close':
        return false;
      case 'respond':
        return this.#respond(outcome.status, outcome.headers, outcome.body);
      case 'error':
        return this.#fail(outcome.error, outcome.headers);
      case 'continue':
        if (this.#options.kind === 'cloud') return this.#page(fail(6029), []);
        return this.#ask(this.#given.service, null);
      case 'forward':
        return this.#goOn(outcome, run);
      case 'relay':
        return this.#relay(outcome, run);
      default:
        return outcome satisfies never;
    }
  }

  async #goOn({ to: { url }, onError }: Extract<Outcome, { kind: 'forward' }>, run: PhaseRun | null): Promise<boolean> {
    this.#forward = url;
    const answer = this.#given.forwards.get(url) ?? this.#given.service;
    if (!('offline' in answer)) return this.#ask(answer, url);
    const error = fail(3200, { url });
    if (onError === 'halt' || run === null) return this.#page(error, []);
    return this.#settle(await run.forwardFailed(error), run);
  }

  async #relay({ open, onError }: Extract<Outcome, { kind: 'relay' }>, run: PhaseRun | null): Promise<boolean> {
    const answer = await open();
    if (!isPosternError(answer)) {
      const { status, fields, body } = answer;
      const lines = fields.flatMap((name, at): HeaderLines => (at % 2 === 0 ? [[name, fields[at + 1] ?? '']] : []));
      return this.#respond(status, lines, await buffer(body));
    }
    if (onError === 'halt' || run === null) return this.#fail(answer, []);
    return this.#settle(await run.forwardFailed(answer), run);
  }

  async #ask(answer: GivenAnswer, at: string | null): Promise<boolean> {
    const { req } = this.#context;
    if (req === null) return false;
    const body = await filtered(req.filters, req.body);
    if (body !== req.body) req.headers.set('content-length', String(body.length));
    const { method, scheme, authority, target, headers } = req;
    const url = at === null ? `${scheme}://${authority}${target}` : `${at}${target}`;
    this.#service = { method, url, headers: headers.entries(), body: body.toString('utf8') };
    if ('offline' in answer) return this.#page(fail(3200, { url }), []);
    return this.#respond(answer.status, answer.headers, answer.body);
  }

  async #respond(status: number, headers: HeaderLines, body: Buffer): Promise<boolean> {
    this.#context.res = new TrialResponse(status, headers, body);
    const run = this.#policy.onHttpResponse?.start(this.#context) ?? null;
    const outcome = (await run?.next()) ?? { kind: 'continue' };
    if (outcome.kind === 'close') return false;
    if (outcome.kind === 'respond') {
      this.#error = '';
      this.#context.res = new TrialResponse(outcome.status, outcome.headers, outcome.body);
    } else if (outcome.kind === 'error') return this.#page(outcome.error, outcome.headers);
    return true;
  }

  /** An error that rules made: response rules still run over its page. */
  #fail(error: PosternError, headers: HeaderLines): Promise<boolean> {
    this.#error = error.code;
    const page = pageOf(error, headers);
    return this.#respond(page.statusCode, page.headers.entries(), page.body);
  }

  /** A page past all rules. */
  #page(error: PosternError, headers: HeaderLines): boolean {
    this.#error = error.code;
    this.#context.res = pageOf(error, headers);
    return true;
  }
}

function pageOf(error: PosternError, headers: HeaderLines): TrialResponse {
  const lines: HeaderLines = [
    ['content-type', 'text/plain; charset=utf-8'],
    ['ngrok-error-code', error.code],
    ...headers,
  ];
  return new TrialResponse(error.status, lines, Buffer.from(`${error.message}\n`, 'utf8'));
}
