import http from 'node:http';
import https from 'node:https';
import { VERSION } from '../version.ts';
import type { ApiPlace } from './find-api.ts';

const DEADLINE_MS = 30_000;
/** More than the largest page of a list. */
const MOST_BYTES = 64 * 1024 * 1024;

export interface Answer {
  readonly status: number;
  readonly reason: string;
  /** null when it is empty. */
  readonly body: unknown;
}

/**
 * One call of the REST API.
 * @param target path with its query, or the address of a next page: its origin is not believed, as the key goes along
 */
export async function callApi(
  place: ApiPlace,
  method: string,
  target: string,
  body?: object,
  deadlineMs = DEADLINE_MS,
): Promise<Answer> {
  const base = new URL(place.url);
  const { pathname, search } = new URL(target, 'http://any');
  const route = target.startsWith('/') ? `${base.pathname.replace(/\/$/, '')}${pathname}` : pathname;
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const secure = base.protocol === 'https:';
  const { status, reason, text } = await new Promise<{ status: number; reason: string; text: string }>(
    (resolve, reject) => {
      const request = (secure ? https : http).request(
        {
          host: base.hostname.replace(/^\[|\]$/g, ''),
          port: base.port === '' ? (secure ? 443 : 80) : Number(base.port),
          path: `${route}${search}`,
          method,
          agent: false,
          signal: AbortSignal.timeout(deadlineMs),
          headers: {
            host: base.host,
            authorization: `Bearer ${place.key}`,
            'ngrok-version': '2',
            'user-agent': `postern/${VERSION}`,
            ...(sent === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(sent) }),
          },
          ...(place.ca === undefined ? {} : { ca: place.ca }),
        },
        (response) => {
          const chunks: Buffer[] = [];
          let size = 0;
          response.on('error', reject);
          response.on('data', (chunk: Buffer) => {
            size += chunk.length;
            if (size > MOST_BYTES) request.destroy(new Error(`the answer is larger than ${MOST_BYTES} bytes`));
            else chunks.push(chunk);
          });
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              reason: response.statusMessage ?? '',
              text: Buffer.concat(chunks).toString('utf8'),
            }),
          );
        },
      );
      request.on('error', reject);
      request.end(sent);
    },
  );
  return { status, reason, body: parsed(text) };
}

/** What is no JSON did not come from the API. */
function parsed(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return { msg: text.slice(0, 500) };
  }
}
