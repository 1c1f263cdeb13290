import { networkInterfaces } from 'node:os';

const TICK = 500;
/** A tick that comes so late, or a wall clock that ran so far ahead, means that this machine or process slept. */
const SLEPT = 4000;

export interface AlertnessSources {
  /** Monotonic milliseconds; they stand still while a machine sleeps. */
  readonly now: () => number;
  /** Milliseconds of the wall clock, which do not. */
  readonly wall: () => number;
  /** Addresses of this machine as one text. */
  readonly networks: () => string;
}

/**
 * Notices within a second what no socket tells: that the machine woke up, or is in another network. Connections may be
 * gone then without a word, and waits that were begun before have no reason any more.
 */
export class Alertness {
  readonly #sources: AlertnessSources;
  readonly #onUpset: (reason: string) => void;
  readonly #onTick: () => void;
  #timer: NodeJS.Timeout | undefined = undefined;
  #now: number;
  #wall: number;
  #networks: string;

  /** @param onTick twice a second */
  constructor(onUpset: (reason: string) => void, onTick: () => void, sources: Partial<AlertnessSources> = {}) {
    this.#sources = { now: () => performance.now(), wall: Date.now, networks: ownAddresses, ...sources };
    this.#onUpset = onUpset;
    this.#onTick = onTick;
    this.#now = this.#sources.now();
    this.#wall = this.#sources.wall();
    this.#networks = this.#sources.networks();
  }

  start(): void {
    this.#timer = setInterval(() => this.tick(), TICK).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  tick(): void {
    const [now, wall, networks] = [this.#sources.now(), this.#sources.wall(), this.#sources.networks()];
    const passed = now - this.#now;
    const slept = passed > SLEPT || wall - this.#wall - passed > SLEPT;
    const moved = networks !== this.#networks;
    this.#now = now;
    this.#wall = wall;
    this.#networks = networks;
    if (slept) this.#onUpset('this machine slept');
    else if (moved) this.#onUpset('the network of this machine changed');
    this.#onTick();
  }
}

function ownAddresses(): string {
  let all: NodeJS.Dict<readonly { internal: boolean; address: string }[]>;
  try {
    all = networkInterfaces();
  } catch {
    // Where the system does not tell, a change is not noticed; heartbeats find out later.
    return '';
  }
  return Object.values(all)
    .flatMap((addresses = []) => addresses.filter(({ internal }) => !internal).map(({ address }) => address))
    .toSorted()
    .join(' ');
}
