/**
 * Requests whose bodies are still coming, by agent session. A session carries a limited number of streams, and a visitor
 * that sends a byte now and then holds one: when the session is full, the slowest such visitor has to go.
 */
/** What nobody is judged by before: connections start slowly, and people think. */
const LEAST_AGE_MS = 10_000;
/** Slower than any line that people still use. */
const LEAST_BYTES_PER_SECOND = 500;

/** A request, as far as it is judged here. */
export interface Upload {
  readonly startedAt: number;
  readonly bytesIn: number;
  /** Its body is being sent to a service, which waits for the visitor. */
  readonly uploading: boolean;
  /** Agent session that the body goes to; '' = it is not here. */
  uploadSession: string;
}

export class Uploads<T extends Upload> {
  private readonly now: () => number;
  private readonly sessions = new Map<string, Set<T>>();

  constructor(now: () => number) {
    this.now = now;
  }

  add(sessionId: string, exchange: T): void {
    this.remove(exchange);
    exchange.uploadSession = sessionId;
    let uploads = this.sessions.get(sessionId);
    if (uploads === undefined) this.sessions.set(sessionId, (uploads = new Set()));
    uploads.add(exchange);
  }

  remove(exchange: T): void {
    const { uploadSession } = exchange;
    if (uploadSession === '') return;
    exchange.uploadSession = '';
    const uploads = this.sessions.get(uploadSession);
    if (uploads?.delete(exchange) === true && uploads.size === 0) this.sessions.delete(uploadSession);
  }

  /** The slowest of those that are slow by their visitor's doing; null = none is. */
  slowest(sessionId: string): T | null {
    const now = this.now();
    let found: T | null = null;
    let least = LEAST_BYTES_PER_SECOND;
    for (const exchange of this.sessions.get(sessionId) ?? []) {
      const { startedAt, bytesIn, uploading } = exchange;
      const age = now - startedAt;
      if (!uploading || age < LEAST_AGE_MS) continue;
      const rate = (bytesIn * 1_000) / age;
      if (rate >= least) continue;
      least = rate;
      found = exchange;
    }
    return found;
  }
}
