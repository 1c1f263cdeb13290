import { Tally } from '../../tally.ts';

const BYTES = 64 * 1024 * 1024;
/** Of all there is: what one visitor's network may have, and all visitors of one endpoint. */
const NETWORK_SHARE = 4;
const ENDPOINT_SHARE = 2;

/** Who a body counts for. */
export interface BodyOwner {
  readonly network: string;
  readonly endpointId: string;
}

/** Memory for all bodies of an edge that policies read at once. */
export class BodyRoom {
  readonly #bytes: number;
  #taken = 0;
  readonly #networks = new Tally();
  readonly #endpoints = new Tally();

  constructor(bytes = BYTES) {
    this.#bytes = bytes;
  }

  /** @returns whether there was as much */
  take({ network, endpointId }: BodyOwner, bytes: number): boolean {
    const mine = this.#networks.of(network) + bytes;
    const ours = this.#endpoints.of(endpointId) + bytes;
    if (this.#taken + bytes > this.#bytes) return false;
    if (mine > this.#bytes / NETWORK_SHARE || ours > this.#bytes / ENDPOINT_SHARE) return false;
    this.#count({ network, endpointId }, bytes);
    return true;
  }

  give(owner: BodyOwner, bytes: number): void {
    this.#count(owner, -bytes);
  }

  #count({ network, endpointId }: BodyOwner, bytes: number): void {
    this.#taken += bytes;
    this.#networks.add(network, bytes);
    this.#endpoints.add(endpointId, bytes);
  }
}
