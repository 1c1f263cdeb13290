import type { Duplex } from 'node:stream';
import type { Exchange } from '../record/exchange.ts';
import type { Recorder } from '../record/recorder.ts';
import type { Tunnels } from '../tunnels.ts';
import type { ReplayEdits } from '../view/shapes.ts';
import type { Watches } from '../watch/watches.ts';
import { ReplayRefused, replayRequest } from './replay-request.ts';

/** A service that answers nothing for so long is left. */
const IDLE_MS = 60_000;
/** At once; each is a connection to a service. */
const MOST = 32;

/** Sends requests again, from the agent to the service, past the rules of the edge; each shows as an exchange of its own. */
export class Replays {
  readonly #recorder: Recorder;
  readonly #watches: Watches;
  readonly #tunnels: Tunnels;
  readonly #open = new Set<Duplex>();

  constructor(recorder: Recorder, watches: Watches, tunnels: Tunnels) {
    this.#recorder = recorder;
    this.#watches = watches;
    this.#tunnels = tunnels;
  }

  /**
   * Resolves when the request is on its way, with the exchange that it makes; the answer arrives there.
   * @throws ReplayRefused
   */
  send(exchange: Exchange, edits: ReplayEdits): Exchange {
    if (this.#open.size >= MOST) throw new ReplayRefused(`${MOST} requests are being sent again; wait for one`);
    const bytes = replayRequest(exchange, this.#recorder.ids.idOf(exchange.number), edits);
    const name = edits.tunnel_name ?? exchange.tunnel;
    const speaks = this.#tunnels.list().find((tunnel) => tunnel.name === name)?.upstreamProtocol;
    if (speaks === 'http2')
      throw new ReplayRefused(`the service of "${name}" speaks HTTP/2, in which nothing is sent again`);
    const connection = this.#tunnels.connect(name);
    if (connection === undefined) throw new ReplayRefused(`there is no tunnel "${name}"`);
    this.#open.add(connection);
    const watch = this.#watches.replay({ name, inspect: true }, exchange.number);
    let failure = '';
    // Nobody reads it but the watch; it must be read to come.
    connection.on('data', (chunk: Buffer) => watch.fromService?.(chunk));
    connection.on('end', () => connection.end());
    connection.on('error', (error) => (failure = error.message));
    const idle = setTimeout(() => connection.destroy(), IDLE_MS);
    connection.on('data', () => idle.refresh());
    connection.once('close', () => {
      clearTimeout(idle);
      this.#open.delete(connection);
      if (failure !== '') watch.fromService?.(notReached(failure));
      watch.over();
    });
    watch.fromVisitor?.(bytes);
    connection.write(bytes);
    const [made] = this.#recorder.newestFirst();
    if (made?.replayOf !== exchange.number) throw new Error('a replay was not recorded');
    return made;
  }

  close(): void {
    for (const connection of this.#open) connection.destroy();
  }
}

/** What shows as the answer where there is none: as visitors get it. */
function notReached(reason: string): Buffer {
  const text = `The service could not be reached: ${reason}\n`;
  return Buffer.from(
    `HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(text)}\r\nngrok-error-code: ERR_NGROK_8012\r\n\r\n${text}`,
  );
}
