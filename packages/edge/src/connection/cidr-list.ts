/** A set of address ranges in CIDR form, over the runtime's own matcher. */
import { BlockList, isIP } from 'node:net';

export class CidrList {
  readonly #list = new BlockList();
  readonly #empty: boolean;

  /** @throws Error naming the range that cannot be read */
  constructor(ranges: readonly string[]) {
    this.#empty = ranges.length === 0;
    for (const range of ranges) {
      const slash = range.indexOf('/');
      const address = slash < 0 ? range : range.slice(0, slash);
      const family = isIP(address);
      const widest = family === 6 ? 128 : 32;
      const prefix = slash < 0 ? widest : Number(range.slice(slash + 1));
      if (family === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > widest || range.endsWith('/'))
        throw new Error(`"${range}" is not an IP address or CIDR range`);
      this.#list.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
    }
  }

  has(address: string): boolean {
    if (this.#empty) return false;
    const family = isIP(address);
    return family !== 0 && this.#list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }
}
