/**
 * Equal policies are compiled once: agents bind the same text again and again, pools and restarts bring many of it, and
 * one compilation may take a tenth of a second of the thread that serves everybody. What is wrong with a text is
 * remembered, too. Compiled policies keep nothing of any request, so that endpoints may share one.
 */
import { isPosternError, type PosternError } from '@postern/errors';
import type { CompiledPolicy, CompileOptions } from './runtime.ts';

const MAX_POLICIES = 512;
/** Characters of all texts together. */
const MAX_CHARACTERS = 4 * 1024 * 1024;

export class PolicyCache<Policy extends CompiledPolicy> {
  readonly #compiled = new Map<string, Policy | PosternError>();
  #characters = 0;

  /** @throws what `compile` throws */
  get(source: string, options: CompileOptions, compile: () => Policy): Policy {
    const key = `${options.protocol} ${options.binding} ${options.kind} ${options.firewall !== false} ${source}`;
    let result = this.#compiled.get(key);
    if (result === undefined) {
      result = attempt(compile);
      this.#characters += key.length;
    } else this.#compiled.delete(key);
    // The one used last at the end.
    this.#compiled.set(key, result);
    this.#trim();
    if (isPosternError(result)) throw result;
    return result;
  }

  #trim(): void {
    for (const key of this.#compiled.keys()) {
      if (this.#compiled.size <= MAX_POLICIES && this.#characters <= MAX_CHARACTERS) return;
      this.#compiled.delete(key);
      this.#characters -= key.length;
    }
  }
}

function attempt<Policy>(compile: () => Policy): Policy | PosternError {
  try {
    return compile();
  } catch (error) {
    if (isPosternError(error)) return error;
    throw error;
  }
}
