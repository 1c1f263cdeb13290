import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  type AgentName,
  type ExpectedName,
  isBinding,
  isScheme,
  isServed,
  isWaiting,
  nameKey,
  type RouteUpdate,
} from '@postern/link';

/** How long changes are gathered; more when writing takes longer, so that a busy server spends at most a twentieth on it. */
const GATHER_MS = 200;
const SHARE = 20;

/**
 * Which names agents serve, in `agents.json` of the data folder: written while the server runs, since a server that is
 * killed says nothing, and read by the next one. A convenience for visitors: nothing is claimed or routed by it, so it is
 * not synced, and a file that cannot be read or written is no error.
 */
export class AgentNames {
  readonly #file: string;
  readonly #now: () => number;
  readonly #expected: Map<string, ExpectedName>;
  readonly #online = new Map<string, AgentName>();
  #timer: NodeJS.Timeout | null = null;
  #gatherMs = GATHER_MS;
  #kept = true;

  /** @param returnMs how long names that were served are expected back. @param now Unix milliseconds */
  constructor(dataDir: string, returnMs: number, now: () => number) {
    this.#file = path.join(dataDir, 'agents.json');
    this.#now = now;
    this.#expected = new Map(this.#read(now() + returnMs).map((name) => [nameKey(name), name]));
  }

  /** Those that are still to come. */
  get expected(): readonly ExpectedName[] {
    return [...this.#expected.values()].filter(({ until }) => until > this.#now());
  }

  /** Routes have come or gone. */
  routed({ upserts, removes }: Pick<RouteUpdate, 'upserts' | 'removes'>): void {
    let changed = false;
    for (const id of removes) changed = this.#online.delete(id) || changed;
    for (const endpoint of upserts) {
      if (!isWaiting(endpoint)) this.#expected.delete(nameKey(endpoint));
      if (!isServed(endpoint)) {
        changed = this.#online.delete(endpoint.id) || changed;
        continue;
      }
      const { binding, accountId, proto, host, port } = endpoint;
      this.#online.set(endpoint.id, { binding, accountId, proto, host, port });
      changed = true;
    }
    if (changed) this.#changed();
  }

  /** Writes what is served now and nothing more: agents that leave from here on are sent away by the stop. */
  keep(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#kept) this.#write();
    this.#kept = false;
  }

  #changed(): void {
    if (!this.#kept || this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#write();
    }, this.#gatherMs);
    this.#timer.unref();
  }

  #write(): void {
    const began = performance.now();
    const temporary = `${this.#file}.new`;
    try {
      writeFileSync(temporary, JSON.stringify({ online: [...this.#online.values()], expected: this.expected }), {
        mode: 0o600,
      });
      renameSync(temporary, this.#file);
    } catch {
      // Then visitors of agents that come back are told 404 for a while.
    }
    this.#gatherMs = Math.max(GATHER_MS, (performance.now() - began) * SHARE);
  }

  #read(until: number): readonly ExpectedName[] {
    let content: unknown;
    try {
      content = JSON.parse(readFileSync(this.#file, 'utf8'));
    } catch {
      return [];
    }
    const served = listIn(content, 'online').filter(isAgentName);
    const earlier = listIn(content, 'expected').filter(isExpectedName);
    return [
      ...earlier.map((name) => ({ ...name, until: Math.min(name.until, until) })),
      ...served.map((name) => ({ ...name, until })),
    ];
  }
}

function listIn(content: unknown, key: string): readonly unknown[] {
  const list = fieldsOf(content).get(key);
  return Array.isArray(list) ? list : [];
}

function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

function isAgentName(value: unknown): value is AgentName {
  const fields = fieldsOf(value);
  return (
    isBinding(fields.get('binding')) &&
    isScheme(fields.get('proto')) &&
    typeof fields.get('accountId') === 'string' &&
    typeof fields.get('host') === 'string' &&
    typeof fields.get('port') === 'number'
  );
}

function isExpectedName(value: unknown): value is ExpectedName {
  return isAgentName(value) && 'until' in value && typeof value.until === 'number';
}
