/**
 * One coarse clock for every deadline of the edge. A Node timer per request is expensive (docs/performance.md): this wheel costs
 * one interval for all of them, and only while something waits. Scheduling, cancelling and refreshing are O(1).
 */
import type { Fallible, TimerHandle, TimerWheel } from './context.ts';

/** Ticks that the wheel may be late before deadlines wait for what has come meanwhile. */
const LATE = 2;
/** Slots of one turn; a timer further away than a turn is looked at once per turn. */
const SLOTS = 512;

export interface TimerWheelOptions {
  /** Milliseconds per slot; timers fire up to one slot late. */
  readonly resolution?: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
  /** What a callback has thrown that has no guard; other timers are not concerned. Default: an uncaught exception. */
  readonly onFault?: (error: unknown) => void;
}

/** Makes the wheel. It never keeps the process alive. */
export function createTimerWheel(options: TimerWheelOptions = {}): TimerWheel & { readonly size: number } {
  return new Wheel(options.resolution ?? 100, options.now ?? (() => performance.now()), options.onFault ?? uncaught);
}

/** A waiting timer: a link of the ring of its slot. */
class Timer implements TimerHandle {
  next: Timer | null = null;
  previous: Timer | null = null;
  slot = -1;
  /** Tick from which it may fire. */
  due = 0;
  readonly wheel: Wheel;
  readonly ticks: number;
  readonly callback: () => void;
  readonly guard: Fallible | undefined;

  constructor(wheel: Wheel, ticks: number, callback: () => void, guard: Fallible | undefined) {
    this.wheel = wheel;
    this.ticks = ticks;
    this.callback = callback;
    this.guard = guard;
  }

  cancel(): void {
    if (this.slot >= 0) this.wheel.remove(this);
  }

  refresh(): void {
    if (this.slot < 0) {
      this.due = this.wheel.tickNow() + this.ticks;
      this.wheel.insert(this);
      return;
    }
    // A waiting timer stays in its slot: when the wheel comes by it finds a later `due` and moves it on. A later due
    // time is all that a busy connection pays, without a look at the clock.
    this.due = this.wheel.latest + this.ticks;
  }

  age(): number {
    return this.wheel.span(Math.max(0, this.wheel.tickNow() - (this.due - this.ticks)));
  }
}

class Wheel implements TimerWheel {
  readonly #resolution: number;
  readonly #now: () => number;
  readonly #onFault: (error: unknown) => void;
  readonly #slots: (Timer | null)[] = Array.from({ length: SLOTS }, () => null);
  #interval: NodeJS.Timeout | null = null;
  /** The last tick whose slot was looked at. */
  #tick = 0;
  #size = 0;
  /** The process did not run for a while; what came in meanwhile is read before anybody is called late. */
  #catchingUp = false;

  constructor(resolution: number, now: () => number, onFault: (error: unknown) => void) {
    this.#resolution = resolution;
    this.#now = now;
    this.#onFault = onFault;
  }

  /** Timers waiting. */
  get size(): number {
    return this.#size;
  }

  schedule(ms: number, callback: () => void, guard?: Fallible): TimerHandle {
    // One tick more than the delay needs, so that a timer never fires early.
    const timer = new Timer(this, Math.max(1, Math.ceil(ms / this.#resolution)) + 1, callback, guard);
    timer.refresh();
    return timer;
  }

  /** The tick of this moment. Sleeping wheels have no ticks of their own, so the clock is asked. */
  tickNow(): number {
    return Math.floor(this.#now() / this.#resolution);
  }

  /** While timers wait it is no later than this tick, or the wheel is late and finds out (see {@link #turn}). */
  get latest(): number {
    return this.#tick + LATE;
  }

  /** Milliseconds of so many ticks. */
  span(ticks: number): number {
    return ticks * this.#resolution;
  }

  insert(timer: Timer): void {
    if (this.#interval === null) {
      this.#tick = this.tickNow();
      this.#interval = setInterval(() => this.#advance(), this.#resolution);
      this.#interval.unref();
    }
    this.#link(timer);
    this.#size++;
  }

  remove(timer: Timer): void {
    this.#unlink(timer);
    this.#size--;
    if (this.#size === 0) this.#sleep();
  }

  #sleep(): void {
    if (this.#interval !== null) clearInterval(this.#interval);
    this.#interval = null;
  }

  #link(timer: Timer): void {
    const slot = timer.due % SLOTS;
    const head = this.#slots[slot] ?? null;
    timer.slot = slot;
    timer.previous = null;
    timer.next = head;
    if (head !== null) head.previous = timer;
    this.#slots[slot] = timer;
  }

  #unlink(timer: Timer): void {
    if (timer.previous === null) this.#slots[timer.slot] = timer.next;
    else timer.previous.next = timer.next;
    if (timer.next !== null) timer.next.previous = timer.previous;
    timer.next = null;
    timer.previous = null;
    timer.slot = -1;
  }

  #advance(): void {
    if (this.#catchingUp) return;
    if (this.tickNow() - this.#tick <= LATE) return this.#turn();
    this.#catchingUp = true;
    // Behind the poll for input, where handlers refresh and cancel.
    setImmediate(() => {
      this.#catchingUp = false;
      this.#turn();
    });
  }

  #turn(): void {
    const target = this.tickNow();
    // What was refreshed behind the last turn may have been so just now, if this one is late: it is looked for in every slot.
    const late = target > this.latest;
    const refreshed = late ? this.latest : Infinity;
    const last = late ? this.#tick + SLOTS : target;
    for (let tick = this.#tick + 1; tick <= last && this.#size > 0; tick++)
      this.#visit(tick % SLOTS, target, refreshed);
    this.#tick = target;
  }

  /** @param refreshed who counts from this tick counts from now */
  #visit(slot: number, now: number, refreshed: number): void {
    // The ring is taken off first: callbacks may add timers to this very slot, which belong to a later turn.
    let timer = this.#slots[slot] ?? null;
    const due: Timer[] = [];
    while (timer !== null) {
      const next = timer.next;
      if (timer.due - timer.ticks === refreshed) timer.due = now + timer.ticks;
      if (timer.due <= now) due.push(timer);
      else if (timer.due % SLOTS !== slot) {
        this.#unlink(timer);
        this.#link(timer);
      }
      timer = next;
    }
    for (const one of due) {
      // A callback before it may have cancelled or refreshed this one.
      if (one.slot !== slot || one.due > now) continue;
      this.remove(one);
      try {
        one.callback();
      } catch (error) {
        if (one.guard === undefined) this.#onFault(error);
        else one.guard.fault(error);
      }
    }
  }
}

function uncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
