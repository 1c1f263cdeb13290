/**
 * What certificate authorities come and ask for, under names that are being issued a certificate (RFC 8555 §8.3, RFC 8737
 * §3). Only what was asked for under this very name and token is answered: whatever else comes by the same path belongs
 * to the endpoint, which may have certificates of its own.
 */
import type { Challenge, TlsIdentity } from '@postern/link';

const PATH = '/.well-known/acme-challenge/';
export const ACME_TLS = 'acme-tls/1';

export class Challenges {
  /** Whether there are any: what requests ask first. */
  pending = false;
  readonly #answers = new Map<string, string>();
  readonly #identities = new Map<string, TlsIdentity>();

  /** Takes the place of all there were. */
  set(challenges: readonly Challenge[]): void {
    this.#answers.clear();
    this.#identities.clear();
    for (const challenge of challenges) {
      const { kind, name } = challenge;
      if (kind === 'http-01') this.#answers.set(`${name} ${PATH}${challenge.token}`, challenge.answer);
      else this.#identities.set(name, { cert: challenge.cert, key: challenge.key });
    }
    this.pending = challenges.length > 0;
  }

  /** What a GET of the target under the host is answered; null = nothing of this. */
  answer(host: string, target: string): string | null {
    if (!target.startsWith(PATH)) return null;
    return this.#answers.get(`${host} ${target}`) ?? null;
  }

  /** The certificate that a handshake with these protocols is to be shown; null = nothing of this. */
  identity(serverName: string, alpn: readonly string[]): TlsIdentity | null {
    if (alpn.length !== 1 || alpn[0] !== ACME_TLS) return null;
    return this.#identities.get(serverName) ?? null;
  }
}
