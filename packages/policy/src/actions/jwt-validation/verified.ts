/**
 * Tokens whose signatures have been found right: clients send one with each request for minutes, and looking at a
 * signature takes longer than everything else that is looked at. What is kept is which key has signed which text, by its
 * hash; whether the token holds now, and whether that key is still published, is asked each time.
 */
import { hash, type KeyObject } from 'node:crypto';

const MOST = 8_192;

export class VerifiedTokens {
  /** By the text's hash, the one found last at the end. */
  readonly #keys = new Map<string, KeyObject>();

  /** @returns the key that is known to have signed it, or null */
  signerOf(token: string): KeyObject | null {
    return this.#keys.get(digest(token)) ?? null;
  }

  /** @param token all of it, its signature too */
  keep(token: string, signer: KeyObject): void {
    const id = digest(token);
    this.#keys.delete(id);
    this.#keys.set(id, signer);
    if (this.#keys.size <= MOST) return;
    const [oldest] = this.#keys.keys();
    if (oldest !== undefined) this.#keys.delete(oldest);
  }
}

function digest(token: string): string {
  return hash('sha256', token, 'base64');
}
