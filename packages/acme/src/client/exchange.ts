/** One request to a certificate authority: over TLS only, with a deadline and a bound for what it answers. */
import { request as httpsRequest } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { rootCertificates } from 'node:tls';
import { AcmeProblem } from './problem.ts';

const TIMEOUT_MS = 30_000;
/** A chain of several certificates has some thousand. */
const MOST_BYTES = 256 * 1024;

export interface Exchange {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Outgoing {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: string;
  /** JOSE JSON. */
  readonly body?: string;
}

export type Send = (outgoing: Outgoing) => Promise<Exchange>;

/**
 * @param root PEM of an authority that the directory's own certificate may come from, beside the public ones; '' = none
 * @param userAgent authorities want to know whom to write to (RFC 8555 §6.1)
 */
export function sender(root: string, userAgent: string): Send {
  const ca = root === '' ? undefined : [...rootCertificates, root];
  return async ({ method, url, body }) => {
    if (!URL.canParse(url) || new URL(url).protocol !== 'https:') {
      throw new AcmeProblem('unreachable', `${JSON.stringify(url.slice(0, 200))} is no https URL`);
    }
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        const sent = httpsRequest(url, {
          method,
          signal,
          agent: false,
          headers: {
            'user-agent': userAgent,
            accept: '*/*',
            ...(body === undefined
              ? {}
              : { 'content-type': 'application/jose+json', 'content-length': Buffer.byteLength(body) }),
          },
          ...(ca === undefined ? {} : { ca }),
        });
        sent.on('response', resolve);
        sent.on('error', reject);
        sent.end(body);
      });
      return { status: answer.statusCode ?? 0, headers: answer.headers, body: await wholeOf(answer) };
    } catch (error) {
      if (error instanceof AcmeProblem) throw error;
      const words = signal.aborted ? 'no answer in time' : error instanceof Error ? error.message : String(error);
      throw new AcmeProblem('unreachable', `${new URL(url).host}: ${words}`);
    }
  };
}

async function wholeOf(answer: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > MOST_BYTES) throw new AcmeProblem('unreachable', `the answer has more than ${MOST_BYTES} bytes`);
      parts.push(part);
    }
  } finally {
    answer.destroy();
  }
  return Buffer.concat(parts);
}

/** Milliseconds from `now` that `Retry-After` asks for (RFC 9110 §10.2.3), a day at most; null = it asks for none. */
export function retryAfter(headers: IncomingHttpHeaders, now: number): number | null {
  const text = headers['retry-after'];
  if (text === undefined) return null;
  const ms = /^[0-9]{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), 86_400_000) : null;
}
