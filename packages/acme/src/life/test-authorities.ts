import type { ManagedCertificateRow } from '@postern/store';
import type { AcmeParts } from '../types.ts';
import type { Authority } from './authority.ts';
import { Failure } from './failure.ts';
import { lifeOf } from './renewal.ts';

const DAY = 86_400_000;

/**
 * What a test authority signs does not take the place of a certificate that browsers trust, while that is valid: who tries
 * a staging directory on a server that serves people gets a word for it, not their complaints. Which authority is one is
 * seen by what it signs.
 */
export class TestAuthorities {
  readonly #parts: AcmeParts;
  /** By directory; from the first certificate on, no order more is spent on those. */
  readonly #known = new Set<string>();

  constructor(parts: AcmeParts) {
    this.#parts = parts;
  }

  /** Before an order. @throws Failure */
  async admit(row: ManagedCertificateRow, authority: Authority): Promise<void> {
    if (this.#known.has(authority.config.directory)) await this.#spare(row, authority);
  }

  /** Before the certificate of it takes another one's place. @throws Failure */
  async judge(row: ManagedCertificateRow, authority: Authority, chain: string): Promise<void> {
    const { directory } = authority.config;
    if (this.#parts.trusted(chain)) {
      this.#known.delete(directory);
      return;
    }
    this.#known.add(directory);
    await this.#spare(row, authority);
  }

  async #spare({ certificateId }: ManagedCertificateRow, { title }: Authority): Promise<void> {
    const { store, trusted, now } = this.#parts;
    const served = certificateId === '' ? null : await store.tlsCertificates.get(certificateId);
    if (served === null || !trusted(served.certificatePem)) return;
    const left = lifeOf(served.certificatePem).notAfter - now();
    if (left <= 0) return;
    throw new Failure(
      'CA_REFUSED',
      `${title} is no authority that browsers trust: the certificate that they do trust stays until ${served.notAfter}. Name a public authority with --acme-directory.`,
      { retryAfterMs: Math.min(left, DAY), elsewhere: true },
    );
  }
}
