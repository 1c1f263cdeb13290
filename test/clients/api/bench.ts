/** What a duty of an API client has to work with: the server, the client's program, and what it reports as an error. */
import assert from 'node:assert/strict';
import { ClientError, type Command, type Fields, type Program } from '../harness/program.ts';
import type { World } from '../harness/world.ts';
import type { Body } from './examples.ts';

export interface ApiClient {
  readonly language: string;
  readonly name: string;
  readonly tools: readonly string[];
  /** How the client's services are named: as resources, or by their tags in the contract. */
  readonly named: 'name' | 'tag';
  /** By duty; the name of a resource is the duty of its round trip. */
  readonly cannot: Readonly<Record<string, string>>;
  build(): Promise<Command>;
}

/** Looks like an id, and is none of this server's. */
export const NOBODY = 'x_2na2KihPFoAuVQW4AHbrWlPjLsw';

export class Bench {
  readonly world: World;
  readonly #client: ApiClient;
  readonly #program: Program;
  readonly #methods: Fields;
  /** `resource.method` of all that was called. */
  readonly called = new Set<string>();

  private constructor(world: World, client: ApiClient, program: Program, methods: Fields) {
    this.world = world;
    this.#client = client;
    this.#program = program;
    this.#methods = methods;
  }

  static async start(world: World, client: ApiClient, program: Program): Promise<Bench> {
    const { runtime, apiKey } = world.platform;
    const methods = await program.call('start', { base_url: runtime.api_url, key: apiKey });
    return new Bench(world, client, program, methods);
  }

  #service(of: { readonly name: string; readonly tag: string }): string {
    return this.#client.named === 'name' ? of.name : of.tag;
  }

  has(of: { readonly name: string; readonly tag: string }, method: string): boolean {
    return this.#methods[this.#service(of)]?.includes(method) === true;
  }

  call(of: { readonly name: string; readonly tag: string }, method: string, args: Body = {}): Promise<Fields> {
    this.called.add(`${of.name}.${method}`);
    return this.#program.call('call', { service: this.#service(of), tag: of.tag, method, args });
  }

  /** The error that the client reports; its `status` is 0 when it could not read the answer. */
  async refusal(of: { readonly name: string; readonly tag: string }, method: string, args: Body): Promise<Refusal> {
    const error: unknown = await this.call(of, method, args).then(
      (answer) => assert.fail(`${of.name}.${method} answered ${JSON.stringify(answer)}`),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof ClientError, String(error));
    assert.notEqual(error.said['status'], 0, `${of.name}.${method}: ${error.message}`);
    return { code: error.code, message: error.message, status: error.said['status'] };
  }
}

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly status: number;
}
