import { messageOf } from '../problem.ts';
import { UsageError } from '../usage-error.ts';

const DEADLINE_MS = 10_000;
/** What a server takes as a policy. */
const MOST_BYTES = 1024 * 1024;

/** A traffic policy from where `--traffic-policy-url` says. @throws UsageError */
export async function fetchPolicy(url: string): Promise<string> {
  const refuse = (reason: string, cause?: unknown): UsageError =>
    new UsageError(`--traffic-policy-url ${url}: ${reason}`, { cause });
  if (!/^https?:\/\//i.test(url)) throw refuse('it is an http:// or https:// URL.');
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(DEADLINE_MS) });
    if (!response.ok) throw refuse(`the answer is ${response.status}.`);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += chunk.length;
      if (size > MOST_BYTES) throw refuse(`it is larger than ${MOST_BYTES} bytes.`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  } catch (cause) {
    throw cause instanceof UsageError ? cause : refuse(`it cannot be fetched (${messageOf(cause)}).`, cause);
  }
}
