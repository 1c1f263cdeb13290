import type { Challenge, ExpectedName, LoginKey, NodeSettings } from '@postern/link';

/** How long tickets that one key sealed are good for. */
const TICKET_KEY_MS = 3_600_000;
const KEY_BYTES = 32;
/** Beyond them visitors are told that nothing is there, for as long as an agent takes to come back. */
const MOST_EXPECTED = 20_000;
/** Of certificates: edges that are told miss none, and one that comes has nothing to forget. */
const CHANGES_KEPT = 16;

export interface NodeSettingsParts {
  /** What the page is until somebody knows a better one. */
  readonly webUrl: string;
  readonly randomBytes: (size: number) => Uint8Array;
  /** Those that count now: `login-keys.ts`. */
  readonly loginKeys: () => readonly LoginKey[];
  /** Tells the edges that are here. */
  readonly publish: (settings: NodeSettings) => Promise<void>;
}

/** What the edges of this node share: held in memory alone, and told to each edge that comes. */
export class NodeSettingsOfNow {
  readonly #parts: NodeSettingsParts;
  #current: NodeSettings;
  #rotation: NodeJS.Timeout | null = null;

  constructor(parts: NodeSettingsParts) {
    this.#parts = parts;
    const { webUrl, randomBytes, loginKeys } = parts;
    this.#current = {
      certificates: { count: 0, last: [] },
      webUrl,
      challenges: [],
      expected: [],
      keys: { hopMarks: randomBytes(KEY_BYTES), tickets: randomBytes(KEY_BYTES), logins: loginKeys() },
    };
  }

  get current(): NodeSettings {
    return this.#current;
  }

  start(): void {
    this.#rotation = setInterval(() => void this.#renewKeys(), TICKET_KEY_MS).unref();
  }

  stop(): void {
    if (this.#rotation !== null) clearInterval(this.#rotation);
  }

  /** @param names that have another certificate now, or none; null = any may */
  certificatesChanged(names: readonly string[] | null): Promise<void> {
    const { count, last } = this.#current.certificates;
    return this.#change({ certificates: { count: count + 1, last: [...last, names].slice(-CHANGES_KEPT) } });
  }

  showWebVisitors(webUrl: string): Promise<void> {
    return this.#change({ webUrl });
  }

  /** Resolves when every edge answers these, and no others. */
  challenge(challenges: readonly Challenge[]): Promise<void> {
    return this.#change({ challenges });
  }

  /** @param names whose agents were at an edge that is gone @param now Unix milliseconds */
  expect(names: readonly ExpectedName[], now: number): Promise<void> {
    const earlier = this.#current.expected.filter(({ until }) => until > now);
    return this.#change({ expected: [...earlier, ...names].slice(-MOST_EXPECTED) });
  }

  #renewKeys(): Promise<void> {
    const { randomBytes, loginKeys } = this.#parts;
    const { hopMarks } = this.#current.keys;
    return this.#change({ keys: { hopMarks, tickets: randomBytes(KEY_BYTES), logins: loginKeys() } });
  }

  #change(change: Partial<NodeSettings>): Promise<void> {
    this.#current = { ...this.#current, ...change };
    return this.#parts.publish(this.#current);
  }
}
