/** Sends an HTTP/2 row over a place, its canaries behind it, and judges all of it. */
import { H2Client, type StreamState } from './h2-client.ts';
import type { H2Row } from './h2-row.ts';
import { headers, pseudo } from './h2-row.ts';
import { judgeOrigin } from './judge.ts';
import type { Place, Places } from './places.ts';
import type { SeenRequest } from './row.ts';
import { checkOwn, type RowResult } from './run-requests.ts';

const FIRST = 1;
/** Behind every stream that a row names. */
const CANARY = 101;

export async function runH2Row(places: Places, place: Place, row: H2Row, number: number): Promise<RowResult> {
  const token = `t${place.index}r${number}`;
  const fill = (text: string): string => text.replaceAll('{H}', place.host).replaceAll('{T}', token);
  const result: RowResult = { row: `${row.group}: ${row.name}`, smuggled: [], misrouted: [], wrong: [] };
  const { verdict } = row;
  const canary = request(`/${token}/canary`);
  const expected: SeenRequest[] = [];

  const client = await H2Client.connect(place.door);
  client.send(...row.frames(FIRST, fill), headers(CANARY, pseudo({ ':path': canary.target }), fill, true));
  await client.over(CANARY);
  // A refused head may have no stream of its own; then only the canary or the end of the connection is waited for.
  if (verdict.kind !== 'refused') await client.over(FIRST);
  const first = client.stream(FIRST);
  const behind = client.stream(CANARY);
  if (behind.status !== 0) {
    checkOwn([answerOf(behind)], [canary], result);
    expected.push(canary);
  } else if (verdict.kind !== 'refused') result.wrong.push('the connection took no further request');
  else if (!client.closed && client.goAway === null) result.wrong.push('the canary was neither answered nor refused');
  client.close();

  switch (verdict.kind) {
    case 'accepted': {
      const seen = filled(verdict.seen, fill);
      expected.push(seen);
      checkOwn([answerOf(first)], [seen], result);
      break;
    }
    case 'nowhere':
      if (first.status !== verdict.status) result.wrong.push(`answered ${first.status}, not ${verdict.status}`);
      break;
    case 'refused':
      if (first.status !== 0 && (first.status < 400 || first.status >= 500)) {
        result.wrong.push(`answered ${first.status}`);
      }
  }

  const again = await H2Client.connect(place.door);
  const fresh = request(`/${token}/fresh`);
  again.send(headers(FIRST, pseudo({ ':path': fresh.target }), fill, true));
  await again.over(FIRST);
  checkOwn([answerOf(again.stream(FIRST))], [fresh], result);
  again.close();
  const optional = verdict.kind === 'refused' && verdict.whole !== undefined ? [filled(verdict.whole, fill)] : [];
  const begun = verdict.kind === 'refused' && verdict.begun;
  judgeOrigin(places, place, token, { expected: [...expected, fresh], optional, begun }, result);
  return result;
}

function request(target: string): SeenRequest {
  return { method: 'GET', target, body: '', fields: {} };
}

function filled(one: SeenRequest, fill: (text: string) => string): SeenRequest {
  const fields: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(one.fields)) fields[name] = value === null ? null : fill(value);
  return { method: one.method, target: fill(one.target), body: fill(one.body), fields };
}

function answerOf(state: StreamState): {
  status: number;
  fields: Map<string, string>;
  body: string;
  complete: boolean;
} {
  return { status: state.status, fields: new Map(), body: state.body, complete: state.ended && state.reset === null };
}
