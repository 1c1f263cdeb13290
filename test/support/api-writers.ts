/**
 * Many clients that create, change and delete cloud endpoints over the API until they are told to stop or the server is
 * gone, and a ledger of what they were promised.
 */
import type { Platform } from './platform.ts';

/** What an endpoint says of itself in all of its texts; they change together or not at all. */
interface Version {
  readonly number: number;
  readonly state: 'there' | 'gone';
}

interface Entry {
  readonly url: string;
  /** '' until the first create was acknowledged. */
  id: string;
  acknowledged: Version;
  /** Asked for and not answered. */
  pending: Version | null;
}

interface EndpointBody {
  readonly id: string;
  readonly url: string;
  readonly description: string;
  readonly metadata: string;
  readonly traffic_policy: string;
  readonly domain?: { readonly id: string };
}

export interface Verdict {
  /** Endpoints that the server has. */
  readonly rows: number;
  /** Everything that is not as promised, in words; empty when all is well. */
  readonly problems: readonly string[];
}

export class ApiWriters {
  readonly #entries = new Map<string, Entry>();
  readonly #prefix: string;
  #next = 0;
  #acknowledged = 0;
  #refused = 0;

  /** @param prefix makes the names of these writers their own; rows with other names are none of their business */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Writes that were answered with success so far. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Writes that were answered with 503. */
  get refused(): number {
    return this.#refused;
  }

  /** Runs `writers` at a time until the signal, or until the server does not answer. */
  async run(platform: Platform, writers: number, signal: AbortSignal, metadataBytes = 0): Promise<void> {
    await Promise.all(
      Array.from({ length: writers }, async () => {
        while (!signal.aborted && (await this.#oneLife(platform, signal, metadataBytes)));
      }),
    );
  }

  /** @returns false when the server is gone */
  async #oneLife(platform: Platform, signal: AbortSignal, metadataBytes: number): Promise<boolean> {
    const number = (this.#next += 1);
    const url = `http://${this.#prefix}${number}.example.com`;
    const entry: Entry = { url, id: '', acknowledged: { number: 0, state: 'gone' }, pending: null };
    this.#entries.set(url, entry);
    const steps: readonly (readonly ['POST' | 'PATCH' | 'DELETE', Version])[] = [
      ['POST', { number: 1, state: 'there' }],
      ['PATCH', { number: 2, state: 'there' }],
      ['PATCH', { number: 3, state: 'there' }],
      // Every third goes again.
      ...(number % 3 === 0 ? ([['DELETE', { number: 4, state: 'gone' }]] as const) : []),
    ];
    for (const [method, version] of steps) {
      if (signal.aborted) return true;
      entry.pending = version;
      const body = method === 'DELETE' ? undefined : bodyOf(url, version.number, method === 'POST', metadataBytes);
      const route = method === 'POST' ? '/endpoints' : `/endpoints/${entry.id}`;
      const answer = await platform.api(method, route, body).catch(() => null);
      if (answer === null) return false;
      if (answer.status === 503) {
        this.#refused += 1;
        // Refused is a promise too: nothing of it has happened.
        entry.pending = null;
        return true;
      }
      if (answer.status >= 300) throw new Error(`${method} ${route}: ${answer.status} ${answer.text}`);
      if (method === 'POST') entry.id = String(answer.body.id);
      entry.acknowledged = version;
      entry.pending = null;
      this.#acknowledged += 1;
    }
    return true;
  }

  /** Compares every promise with what the server has and serves, and takes over what was left open. */
  async check(platform: Platform): Promise<Verdict> {
    const rows = await allRows(platform);
    const domains = await allDomains(platform);
    const problems: string[] = [];
    for (const row of rows.values()) {
      if (!row.url.startsWith(`http://${this.#prefix}`)) continue;
      if (!this.#entries.has(row.url)) problems.push(`${row.url}: nobody asked for it`);
      if (row.domain === undefined || !domains.has(row.domain.id)) problems.push(`${row.url}: no domain of its own`);
    }
    for (const entry of this.#entries.values()) {
      const row = rows.get(entry.url);
      const found: Version = row === undefined ? { number: -1, state: 'gone' } : versionOf(row);
      if (Number.isNaN(found.number)) problems.push(`${entry.url}: half of a change: ${JSON.stringify(row)}`);
      const allowed = entry.pending === null ? [entry.acknowledged] : [entry.acknowledged, entry.pending];
      if (!allowed.some((version) => same(version, found))) {
        problems.push(`${entry.url}: promised ${JSON.stringify(allowed)}, found ${JSON.stringify(found)}`);
      }
      // From here on this is the truth.
      entry.acknowledged = found;
      entry.pending = null;
      entry.id = row?.id ?? entry.id;
    }
    problems.push(...(await this.#servedWrongly(platform)));
    return { rows: rows.size, problems };
  }

  /** Every tenth endpoint, and the newest of all, asked as a visitor. */
  async #servedWrongly(platform: Platform): Promise<string[]> {
    const entries = [...this.#entries.values()];
    const asked = entries.filter((_, index) => index % 10 === 0 || index > entries.length - 30);
    const answers = await Promise.all(
      asked.map(async ({ url, acknowledged: { number, state } }) => {
        const { status, text, headers } = await platform.visit(url);
        if (state === 'gone') {
          return headers['ngrok-error-code'] === 'ERR_NGROK_3200'
            ? null
            : `${url}: gone, but answers ${status} ${text}`;
        }
        return text === `version ${number}` ? null : `${url}: version ${number}, but answers ${status} ${text}`;
      }),
    );
    return answers.filter((problem) => problem !== null);
  }
}

function same(left: Version, right: Version): boolean {
  return left.state === right.state && (left.state === 'gone' || left.number === right.number);
}

function bodyOf(url: string, version: number, withUrl: boolean, metadataBytes: number): Record<string, string> {
  const policy = {
    on_http_request: [
      { actions: [{ type: 'custom-response', config: { status_code: 200, body: `version ${version}` } }] },
    ],
  };
  return {
    ...(withUrl ? { url } : {}),
    description: `version ${version}`,
    metadata: `version ${version}`.padEnd(metadataBytes, '.'),
    traffic_policy: JSON.stringify(policy),
  };
}

/** NaN when its texts do not agree. */
function versionOf(row: EndpointBody): Version {
  const number = /^version (\d+)$/.exec(row.description)?.[1] ?? '';
  const whole =
    row.metadata.replace(/\.+$/, '') === `version ${number}` && row.traffic_policy.includes(`version ${number}"`);
  return { number: whole ? Number(number) : Number.NaN, state: 'there' };
}

async function allRows(platform: Platform): Promise<Map<string, EndpointBody>> {
  const rows = new Map<string, EndpointBody>();
  for (let next: string | null = '/endpoints?limit=100'; next !== null;) {
    const answer = await platform.api('GET', next);
    const page: readonly EndpointBody[] = answer.body.endpoints;
    for (const row of page) rows.set(row.url, row);
    next = answer.body.next_page_uri;
  }
  return rows;
}

async function allDomains(platform: Platform): Promise<Set<string>> {
  const ids = new Set<string>();
  for (let next: string | null = '/reserved_domains?limit=100'; next !== null;) {
    const answer = await platform.api('GET', next);
    const page: readonly { readonly id: string }[] = answer.body.reserved_domains;
    for (const { id } of page) ids.add(id);
    next = answer.body.next_page_uri;
  }
  return ids;
}
