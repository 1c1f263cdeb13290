/** What a duty of an agent has to work with: the server, the client's program, and short words for both. */
import type { Fields, Program } from '../harness/program.ts';
import type { World } from '../harness/world.ts';

/** What not every SDK can do; a duty that needs one is not asked of the others, and the table says why. */
export type Ability =
  | 'metadata'
  | 'name'
  | 'forwards-to'
  | 'serves'
  | 'forwards'
  | 'codes'
  | 'heartbeats'
  | 'commands'
  | 'options'
  | 'proxy-protocol'
  | 'half-close-forwarded'
  | 'serves-tcp'
  | 'tls'
  | 'tls-at-agent'
  | 'tls-at-edge'
  | 'mutual-tls'
  | 'http2'
  | 'pooling'
  | 'policy'
  | 'leaves';

export interface AgentDuty {
  readonly name: string;
  readonly needs?: readonly Ability[];
  run(bench: Bench): Promise<void>;
}

export class Bench {
  readonly world: World;
  readonly program: Program;
  /** Of all duties: what a program tells of a name is told of that duty's alone. */
  static #count = 0;
  #sessions: string[] = [];

  constructor(world: World, program: Program) {
    this.world = world;
    this.program = program;
  }

  /** A session of its own; answers its name. */
  async connect(options: Fields = {}): Promise<string> {
    const session = `s${(Bench.#count += 1)}`;
    await this.program.call('connect', {
      session,
      address: this.world.agentAddress,
      ca: this.world.caFile,
      authtoken: this.world.platform.authtoken,
      metadata: '',
      ...options,
    });
    this.#sessions.push(session);
    return session;
  }

  /** An https endpoint with a random name that forwards to the service, unless `fields` says otherwise. */
  async listen(session: string, fields: Fields = {}): Promise<Fields> {
    const listener = `l${(Bench.#count += 1)}`;
    const { upstream = this.world.service.url, ...rest } = { proto: 'https', ...fields };
    const answer = await this.program.call('listen', {
      session,
      listener,
      ...rest,
      ...(upstream === 'none' ? {} : { upstream }),
    });
    return { ...answer, listener };
  }

  async disconnect(session: string): Promise<void> {
    this.#sessions = this.#sessions.filter((name) => name !== session);
    await this.program.call('disconnect', { session });
  }

  /** Ends every session that the duty has left open. */
  async clear(): Promise<void> {
    for (const session of this.#sessions.splice(0)) {
      // The server may have ended it, as the duty wanted.
      await this.program.call('disconnect', { session }).catch(() => undefined);
    }
  }
}

/** The first bytes that come. */
export function firstOf(socket: NodeJS.ReadableStream): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    socket.once('data', resolve);
    socket.once('end', () => reject(new Error('it ended without a byte')));
    socket.once('error', reject);
  });
}
