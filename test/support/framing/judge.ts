/** Compares what an origin has seen with what a row allows. Every finding is a sentence; none means all is well. */
import { LenientReader, type LenientMessage, type Temper } from './lenient-reader.ts';
import { type LedgerConnection, tokenOf } from './origin.ts';
import type { Place, Places } from './places.ts';
import type { SeenRequest } from './row.ts';

const TEMPERS: readonly Temper[] = ['coding-first', 'length-first'];

export interface Findings {
  readonly smuggled: string[];
  readonly misrouted: string[];
  /** Wrong answers, wrong counts, ambiguous framing. */
  readonly wrong: string[];
}

/** What may have come to the origin. */
export interface Allowed {
  /** Must have arrived, each exactly once, in any order. */
  readonly expected: readonly SeenRequest[];
  /** May have arrived, each at most once. */
  readonly optional?: readonly SeenRequest[];
  /** One request may have been begun and not completed. */
  readonly begun?: boolean;
}

export function judgeOrigin(
  places: Places,
  place: Place,
  token: string,
  { expected, optional = [], begun = false }: Allowed,
  findings: Findings,
): void {
  const arrived =
    place.upstream === 'http2' ? http2Requests(places, token) : http1Requests(places, place, token, findings, begun);
  const due = [...expected];
  const possible = [...optional];
  for (const request of arrived) {
    if (/smuggled/.test(request.target)) findings.smuggled.push(`${request.method} ${request.target}`);
    const found = take(due, request) ?? take(possible, request);
    if (found !== undefined) checkFields(found, request, findings);
    else {
      findings.wrong.push(
        `the origin saw ${request.method} ${request.target} ${JSON.stringify(request.body.slice(0, 80))}, which was not asked for (or twice, or changed)`,
      );
    }
  }
  for (const { method, target } of due) findings.wrong.push(`${method} ${target} did not reach the origin`);
}

function take(from: SeenRequest[], request: Arrived): SeenRequest | undefined {
  const at = from.findIndex((one) => same(one, request));
  return at === -1 ? undefined : from.splice(at, 1)[0];
}

interface Arrived {
  readonly method: string;
  readonly target: string;
  readonly body: string;
  readonly fields: LenientMessage['fields'];
}

function http2Requests(places: Places, token: string): readonly Arrived[] {
  const streams = places.http2Origin.streamsOf(token);
  places.http2Origin.forget(streams);
  return streams.filter((stream) => stream.complete);
}

function http1Requests(
  { origin }: Places,
  place: Place,
  token: string,
  findings: Findings,
  begun: boolean,
): readonly Arrived[] {
  const connections = origin.connectionsOf(token);
  origin.forget(connections);
  const arrived: LenientMessage[] = [];
  let unfinished = 0;
  for (const connection of connections) {
    arrived.push(...connection.requests);
    if (connection.port !== place.originPort) findings.misrouted.push(`it arrived at port ${connection.port}`);
    if (connection.unfinished) unfinished += 1;
    checkTempers(connection, findings);
    for (const message of connection.requests) {
      const other = tokenOf(message.target);
      if (other !== null && other.token !== token) findings.misrouted.push(`${other.whole} is on the same connection`);
      findings.wrong.push(...ambiguities(message).map((problem) => `${message.target} reached the origin ${problem}`));
    }
  }
  if (unfinished > (begun ? 1 : 0)) findings.wrong.push(`${unfinished} requests reached the origin in part`);
  return arrived;
}

/** Servers of every temper must find the same messages in the bytes. */
function checkTempers(connection: LedgerConnection, findings: Findings): void {
  const { raw } = connection;
  const [one, other] = TEMPERS.map((temper) => {
    const reader = new LenientReader(temper);
    reader.push(raw);
    return reader.messages.map(({ end, method, target }) => `${method} ${target} to ${end}`).join(', ');
  });
  if (one !== other) findings.smuggled.push(`servers disagree about it: ${String(one)} or ${String(other)}`);
}

/** What a request on the wire to an upstream may not leave open. */
function ambiguities({ head, fields, version }: LenientMessage): string[] {
  const problems: string[] = [];
  const count = (name: string): number => fields.filter(([field]) => field === name).length;
  if (/[^\r]\n|\r[^\n]/.test(head)) problems.push('with a bare line break');
  if (/\r\n[ \t]/.test(head)) problems.push('with a folded line');
  if (/\r\n[^\r\n:]*[ \t]+:/.test(head)) problems.push('with whitespace before a colon');
  if (count('host') !== 1) problems.push(`with ${count('host')} Host fields`);
  if (count('content-length') + count('transfer-encoding') > 1) problems.push('framed twice');
  const coding = fields.find(([field]) => field === 'transfer-encoding')?.[1] ?? 'chunked';
  if (coding !== 'chunked') problems.push(`with the coding ${coding}`);
  const length = fields.find(([field]) => field === 'content-length')?.[1] ?? '0';
  if (!/^(0|[1-9]\d*)$/.test(length)) problems.push(`with the length ${length}`);
  if (version !== 'HTTP/1.1') problems.push(`with the version ${version}`);
  return problems;
}

function same(expected: SeenRequest, { method, target, body }: Arrived): boolean {
  return expected.method === method && expected.target === target && expected.body === body;
}

function checkFields(expected: SeenRequest, request: Arrived, findings: Findings): void {
  for (const [name, value] of Object.entries(expected.fields)) {
    const found = request.fields.find(([field]) => field === name)?.[1] ?? null;
    if (found !== value) findings.wrong.push(`${request.target}: ${name} is ${String(found)}, not ${String(value)}`);
  }
}
