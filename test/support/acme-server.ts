/** A server that orders certificates from a Pebble of its own, through a relay that counts and holds what it asks. */
import { CaRelay } from './ca-relay.ts';
import { freePort } from '@postern/edge/testing/free-port';
import { Pebble } from './pebble.ts';
import { type PlatformOptions, visitorsAt } from './platform.ts';

export class AcmeServer {
  readonly pebble: Pebble;
  readonly relay: CaRelay;
  readonly ports: { readonly http: number; readonly https: number };
  readonly #base: string;

  private constructor(pebble: Pebble, relay: CaRelay, ports: AcmeServer['ports'], base: string) {
    this.pebble = pebble;
    this.relay = relay;
    this.ports = ports;
    this.#base = base;
  }

  /**
   * The authority, and who comes before it; the server is the caller's to start with {@link options}.
   * @param names that lead to the server
   * @param undo gets what ends them
   */
  static async prepare(
    programs: Parameters<typeof Pebble.start>[0],
    base: string,
    names: readonly string[],
    undo: (() => unknown)[],
  ): Promise<AcmeServer> {
    const ports = { http: await freePort(), https: await freePort() };
    const pebble = await Pebble.start(programs, { httpPort: ports.http, tlsPort: ports.https });
    undo.push(() => pebble.stop());
    if (names.length > 0) await pebble.point(...names);
    const relay = await CaRelay.start(pebble);
    undo.push(() => relay.stop());
    return new AcmeServer(pebble, relay, ports, base);
  }

  get options(): PlatformOptions {
    return {
      ...visitorsAt(this.ports),
      args: [`--base-domain=${this.#base}`, ...this.pebble.flagsBy(this.relay.directory)],
    };
  }
}
