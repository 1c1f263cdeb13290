import type { Challenge, NodeSettings } from '@postern/link';

/** How long tickets that one key sealed are good for. */
const TICKET_KEY_MS = 3_600_000;
const KEY_BYTES = 32;

export interface NodeSettingsParts {
  /** What the page is until somebody knows a better one. */
  readonly webUrl: string;
  readonly randomBytes: (size: number) => Uint8Array;
  /** Tells the edges that are here. */
  readonly publish: (settings: NodeSettings) => Promise<void>;
}

/** What the edges of this node share: made with it, held in memory alone, and told to each edge that comes. */
export class NodeSettingsOfNow {
  readonly #parts: NodeSettingsParts;
  #current: NodeSettings;
  #rotation: NodeJS.Timeout | null = null;

  constructor(parts: NodeSettingsParts) {
    this.#parts = parts;
    const { webUrl, randomBytes } = parts;
    this.#current = {
      certificates: 0,
      webUrl,
      challenges: [],
      keys: { hopMarks: randomBytes(KEY_BYTES), tickets: randomBytes(KEY_BYTES) },
    };
  }

  get current(): NodeSettings {
    return this.#current;
  }

  start(): void {
    this.#rotation = setInterval(() => void this.#renewTickets(), TICKET_KEY_MS).unref();
  }

  stop(): void {
    if (this.#rotation !== null) clearInterval(this.#rotation);
  }

  certificatesChanged(): Promise<void> {
    return this.#change({ certificates: this.#current.certificates + 1 });
  }

  showWebVisitors(webUrl: string): Promise<void> {
    return this.#change({ webUrl });
  }

  /** Resolves when every edge answers these, and no others. */
  challenge(challenges: readonly Challenge[]): Promise<void> {
    return this.#change({ challenges });
  }

  #renewTickets(): Promise<void> {
    return this.#change({ keys: { ...this.#current.keys, tickets: this.#parts.randomBytes(KEY_BYTES) } });
  }

  #change(change: Partial<NodeSettings>): Promise<void> {
    this.#current = { ...this.#current, ...change };
    return this.#parts.publish(this.#current);
  }
}
