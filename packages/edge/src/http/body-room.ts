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
  readonly #networks = new Map<string, number>();
  readonly #endpoints = new Map<string, number>();

  constructor(bytes = BYTES) {
    this.#bytes = bytes;
  }

  /** @returns whether there was as much */
  take({ network, endpointId }: BodyOwner, bytes: number): boolean {
    const mine = (this.#networks.get(network) ?? 0) + bytes;
    const ours = (this.#endpoints.get(endpointId) ?? 0) + bytes;
    if (this.#taken + bytes > this.#bytes) return false;
    if (mine > this.#bytes / NETWORK_SHARE || ours > this.#bytes / ENDPOINT_SHARE) return false;
    this.#taken += bytes;
    this.#networks.set(network, mine);
    this.#endpoints.set(endpointId, ours);
    return true;
  }

  give({ network, endpointId }: BodyOwner, bytes: number): void {
    if (bytes === 0) return;
    this.#taken -= bytes;
    less(this.#networks, network, bytes);
    less(this.#endpoints, endpointId, bytes);
  }
}

function less(counts: Map<string, number>, key: string, bytes: number): void {
  const left = (counts.get(key) ?? 0) - bytes;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
}
