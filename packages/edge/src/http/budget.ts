/** A bucket of tokens: `burst` at once, `perSecond` on average. */
export class Budget {
  private readonly now: () => number;
  private readonly burst: number;
  private readonly perSecond: number;
  private tokens: number;
  private at: number;

  /** @param now milliseconds */
  constructor(now: () => number, burst: number, perSecond: number) {
    this.now = now;
    this.burst = burst;
    this.perSecond = perSecond;
    this.tokens = burst;
    this.at = now();
  }

  /** @returns whether there was a token to take */
  spend(): boolean {
    const now = this.now();
    this.tokens = Math.min(this.burst, this.tokens + (Math.max(0, now - this.at) / 1_000) * this.perSecond);
    this.at = now;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}
