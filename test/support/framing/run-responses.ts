/** Lets the origin answer by a row, and looks at what a visitor over HTTP/1 or HTTP/2 makes of it. */
import http2 from 'node:http2';
import { PATIENCE_MS } from '../until.ts';
import type { H2Answer } from './h2-answers.ts';
import { type Findings, judgeOrigin } from './judge.ts';
import type { Place, Places } from './places.ts';
import { converse, type RawResponse } from './raw-client.ts';
import type { ResponseRow, ResponseVerdict } from './response-row.ts';
import type { SeenRequest } from './row.ts';
import { checkOwn, type RowResult, statuses } from './run-requests.ts';

export async function runResponseRow(
  places: Places,
  place: Place,
  row: ResponseRow,
  number: number,
): Promise<RowResult> {
  const token = `t${place.index}r${number}`;
  const result: RowResult = { row: `${row.group}: ${row.name}`, smuggled: [], misrouted: [], wrong: [] };
  const pieces = row.pieces.map((piece) => Buffer.from(piece, 'latin1'));
  places.origin.scripts.set(`/${token}`, { pieces, ending: row.ending });
  const asked = [{ ...request(`/${token}`), method: row.method }, request(`/${token}/canary`)];
  const visit = place.door.tls?.alpn?.[0] === 'h2' ? overHttp2 : overHttp1;
  const answers = await visit(place, asked);
  places.origin.scripts.delete(`/${token}`);

  compare(answers[0], row.verdict, result);
  if (answers.some(({ body }) => body.includes('POISON')))
    result.smuggled.push('a visitor read what was not its answer');
  // After a cut an HTTP/1 connection is over; in all other cases the canary behind has its own answer.
  const canary = answers.slice(1);
  if (row.verdict.kind !== 'cut' || canary.length > 0) checkOwn(canary, asked.slice(1), result);
  const fresh = request(`/${token}/fresh`);
  checkOwn(await visit(place, [fresh]), [fresh], result);

  const tries = Array.from({ length: row.tries }, () => ({ ...asked[0], ...request(`/${token}`), method: row.method }));
  const arrived = canary.length > 0 ? asked.slice(1) : [];
  const optional = row.races ? arrived : [];
  judgeOrigin(places, place, token, { expected: [...tries, ...arrived, fresh], optional }, result);
  return result;
}

/** One request that the hostile HTTP/2 upstream answers by a row, and one behind it that it answers well. */
export async function visitHostile(
  { hostileHttp2 }: Places,
  place: Place,
  row: H2Answer,
): Promise<{ readonly first: RawResponse | undefined; readonly canary: RawResponse | undefined }> {
  const over2 = place.door.tls?.alpn?.[0] === 'h2';
  const session = over2 ? openHttp2(place) : null;
  const visit = async (): Promise<RawResponse | undefined> => {
    if (session !== null) return ask(session, 'GET', '/');
    return (await overHttp1(place, [request('/')]))[0];
  };
  hostileHttp2.current = row;
  const first = await visit();
  hostileHttp2.current = null;
  const canary = await visit();
  session?.destroy();
  return { first, canary };
}

/** Sets a visitor's answer against the verdict. */
export function compare(got: RawResponse | undefined, verdict: ResponseVerdict, { wrong }: Findings): void {
  const said = got === undefined ? 'nothing' : `${statuses([got])} ${got.fields.get('ngrok-error-code') ?? ''}`.trim();
  switch (verdict.kind) {
    case 'page':
      if (got?.status !== 502 || !got.complete || got.fields.get('ngrok-error-code') !== verdict.code) {
        wrong.push(`the visitor got ${said}, not 502 ${verdict.code}`);
      }
      break;
    case 'cut':
      if (got?.status !== verdict.status || got.complete) wrong.push(`the visitor got ${said}, not a cut answer`);
      break;
    case 'passes':
      if (got?.status !== verdict.status || !got.complete || got.body !== verdict.body) {
        wrong.push(`the visitor got ${said} "${got?.body.slice(0, 60) ?? ''}"`);
      } else if (got.fields.has('ngrok-error-code')) wrong.push('an error code of ours came from the upstream');
  }
}

function request(target: string): SeenRequest {
  return { method: 'GET', target, body: '', fields: {} };
}

/** All at once on one connection, the last with `Connection: close`. */
export async function overHttp1(place: Place, asked: readonly SeenRequest[]): Promise<readonly RawResponse[]> {
  const text = asked.map(({ method, target }, index) => {
    const close = index === asked.length - 1 ? 'Connection: close\r\n' : '';
    const length = method === 'POST' ? 'Content-Length: 0\r\n' : '';
    return `${method} ${target} HTTP/1.1\r\nHost: ${place.host}\r\n${length}${close}\r\n`;
  });
  const methods = asked.map(({ method }) => method);
  return (await converse(place.door, Buffer.from(text.join('')), { methods })).responses;
}

/** One after another on one connection. */
async function overHttp2(place: Place, asked: readonly SeenRequest[]): Promise<readonly RawResponse[]> {
  const session = openHttp2(place);
  const answers: RawResponse[] = [];
  for (const { method, target } of asked) answers.push(await ask(session, method, target));
  session.destroy();
  return answers;
}

export function openHttp2({ host: name, door: { host, port, tls } }: Place): http2.ClientHttp2Session {
  const session = http2.connect(`https://${name}`, {
    host,
    port,
    ...tls,
    maxHeaderListPairs: 2_000,
    settings: { maxHeaderListSize: 300_000 },
  });
  session.on('error', () => undefined);
  return session;
}

export function ask(session: http2.ClientHttp2Session, method: string, target: string): Promise<RawResponse> {
  return new Promise((resolve) => {
    const stream = session.request({ ':method': method, ':path': target }, { endStream: true });
    const fields = new Map<string, string>();
    let status = 0;
    let body = '';
    let ended = false;
    stream.on('response', (headers) => {
      status = headers[':status'] ?? 0;
      for (const [name, value] of Object.entries(headers)) fields.set(name, String(value));
    });
    stream.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
    stream.on('end', () => (ended = true));
    stream.on('error', () => undefined);
    stream.on('close', () => {
      const complete = ended && !stream.aborted && stream.rstCode === http2.constants.NGHTTP2_NO_ERROR;
      resolve({ status, fields, body, complete });
    });
    stream.setTimeout(PATIENCE_MS, () => stream.close(http2.constants.NGHTTP2_CANCEL));
  });
}
