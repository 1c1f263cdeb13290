import { isIPv6 } from 'node:net';

/** Answered in a second; the rest is dropped, as any lost packet is. */
const MOST_A_SECOND = 2_000;
/** Of one network in a second: a sender's address by UDP may be somebody else's, who is not to be sent more than was asked. */
const MOST_WHOLE = 20;
/** In a second; those of more are taken for senders that have asked enough. */
const MOST_NETWORKS = 1_024;

/** How much may be answered by UDP, and to whom. */
export class ReplyRate {
  readonly #whole = new Map<string, number>();
  #second = 0;
  #answered = 0;

  /** @param now Unix milliseconds. @returns false = not at all */
  mayAnswer(now: number): boolean {
    const second = Math.floor(now / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#answered = 0;
      this.#whole.clear();
    }
    this.#answered += 1;
    return this.#answered <= MOST_A_SECOND;
  }

  /** Whether the answer may be larger than the question. */
  mayGain(address: string): boolean {
    const network = networkOf(address);
    const known = this.#whole.get(network);
    if (known === undefined && this.#whole.size >= MOST_NETWORKS) return false;
    this.#whole.set(network, (known ?? 0) + 1);
    return (known ?? 0) < MOST_WHOLE;
  }
}

/** 24 bits of IPv4, 48 of IPv6. */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address.slice(0, address.lastIndexOf('.'));
  const [head = ''] = address.split('::');
  return [...head.split(':'), '0', '0'].slice(0, 3).join(':');
}
