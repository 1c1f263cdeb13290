/** Sends a request row over a place, its canaries behind it, and judges all of it. */
import { PATIENCE_MS } from '../until.ts';
import { type Findings, judgeOrigin } from './judge.ts';
import type { Place, Places } from './places.ts';
import { converse, type RawResponse } from './raw-client.ts';
import type { RequestRow, SeenRequest } from './row.ts';
import { Dice } from '@postern/edge/testing/dice';

export interface RowResult extends Findings {
  readonly row: string;
}

/** HTTP/2 upstreams are never sent these. */
const NOT_OVER_HTTP2 = new Set(['te', 'transfer-encoding', 'upgrade', 'content-length']);

export async function runRequestRow(
  places: Places,
  place: Place,
  row: RequestRow,
  number: number,
  timeoutMs = PATIENCE_MS,
): Promise<RowResult> {
  const token = `t${place.index}r${number}`;
  const fill = (text: string): string =>
    text.replaceAll('{HC}', place.host.toUpperCase()).replaceAll('{H}', place.host).replaceAll('{T}', token);
  const result: RowResult = { row: `${row.group}: ${row.name}`, smuggled: [], misrouted: [], wrong: [] };
  const { verdict } = row;
  const tail = verdict.kind === 'refused' ? 'smuggled' : 'canary';
  const bytes = Buffer.from(
    fill(`${row.raw}GET /{T}/${tail} HTTP/1.1\r\nHost: {H}\r\nConnection: close\r\n\r\n`),
    'latin1',
  );
  const seen = verdict.kind === 'accepted' ? verdict.seen.map((one) => filled(one, fill, place)) : [];
  const canary = request(`/${token}/canary`);
  const behind = verdict.kind === 'nowhere' || (verdict.kind === 'accepted' && !verdict.last);
  const good = verdict.kind === 'refused' && row.raw.includes('/{T}/good') ? [request(`/${token}/good`)] : [];
  const expected = [...seen, ...good, ...(behind ? [canary] : [])];

  const methods = [...seen, ...good].map((one) => one.method);
  const cuts = place.pieces ? cutsOf(bytes.length, number) : [];
  const talk = await converse(place.door, bytes, { methods, cuts, timeoutMs });
  const answers = talk.responses;
  if (talk.ended !== 'fin') result.wrong.push(`the connection ended by ${talk.ended}`);
  if (/smuggled/.test(talk.received)) result.smuggled.push('the tail was answered');
  switch (verdict.kind) {
    case 'refused': {
      const last = answers.at(-1);
      if (answers.length !== good.length + 1 || last?.status !== verdict.status) {
        result.wrong.push(`answered ${statuses(answers)}, not ${verdict.status}`);
      }
      if (!last?.fields.has('ngrok-error-code')) result.wrong.push('the refusal has no error code');
      break;
    }
    case 'nowhere':
      if (answers[0]?.status !== verdict.status)
        result.wrong.push(`answered ${statuses(answers)}, not ${verdict.status}`);
      checkOwn(answers.slice(1), [canary], result);
      break;
    case 'accepted':
      checkOwn(answers, expected, result);
  }

  const fresh = request(`/${token}/fresh`);
  const after = await converse(
    place.door,
    Buffer.from(fill('GET /{T}/fresh HTTP/1.1\r\nHost: {H}\r\nConnection: close\r\n\r\n')),
    { methods: ['GET'], timeoutMs },
  );
  checkOwn(after.responses, [fresh], result);
  const begun = verdict.kind === 'refused' && verdict.begun;
  judgeOrigin(places, place, token, { expected: [...expected, fresh], begun }, result);
  return result;
}

function request(target: string): SeenRequest {
  return { method: 'GET', target, body: '', fields: {} };
}

function filled(one: SeenRequest, fill: (text: string) => string, place: Place): SeenRequest {
  const fields: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(one.fields)) {
    if (place.upstream === 'http2' && NOT_OVER_HTTP2.has(name)) continue;
    fields[name] = value === null ? null : fill(value);
  }
  return { method: one.method, target: fill(one.target), body: fill(one.body), fields };
}

/** Each response answers the request at its place. */
export function checkOwn(
  answers: readonly RawResponse[],
  expected: readonly SeenRequest[],
  { wrong, misrouted }: Findings,
): void {
  if (answers.length !== expected.length) {
    wrong.push(`${answers.length} answers (${statuses(answers)}), not ${expected.length}`);
  }
  for (const [index, { method, target }] of expected.entries()) {
    const answer = answers[index];
    if (answer === undefined) continue;
    if (answer.status !== 200 || !answer.complete) wrong.push(`${target} was answered ${statuses([answer])}`);
    else if (method !== 'HEAD') {
      const said = echoOf(answer.body);
      if (said === null) wrong.push(`${target} has an answer that is not the origin's`);
      else if (said.target !== target || said.method !== method)
        misrouted.push(`${target} got the answer of ${said.target}`);
    }
  }
}

function echoOf(body: string): { method: string; target: string } | null {
  const match = /^\{"order":\d+,"method":"([^"]*)","target":("(?:[^"\\]|\\.)*"),/.exec(body);
  return match === null ? null : { method: match[1] ?? '', target: String(JSON.parse(match[2] ?? '""')) };
}

export function statuses(answers: readonly RawResponse[]): string {
  return answers.map(({ status, complete }) => `${status}${complete ? '' : ' in part'}`).join(', ') || 'nothing';
}

/** Up to forty segments, small ones mostly at the start, where heads are. */
function cutsOf(length: number, seed: number): number[] {
  const dice = new Dice(seed);
  const cuts: number[] = [];
  for (let at = 0; at < length && cuts.length < 40;) {
    at += cuts.length < 30 ? 1 + dice.below(12) : 1 + dice.below(Math.max(1, length - at));
    cuts.push(at);
  }
  return cuts;
}
