import { timingSafeEqual } from 'node:crypto';
import { isScheme, type Binding, type Scheme } from '@postern/link';
import type { Store } from '@postern/store';

/** What a resume token proves: this endpoint at this address belonged to an agent of this account. */
export interface Resumed {
  readonly endpointId: string;
  /** Id on the wire, which agents keep whatever they are answered (agent-protocol.md §8). */
  readonly bindId: string;
  readonly accountId: string;
  readonly scheme: Scheme;
  readonly binding: Binding;
  readonly host: string;
  readonly port: number;
  /** The address was ours to choose: it needs no reservation when it comes back. */
  readonly generated: boolean;
}

/** Proof of an earlier session, given back in Auth (agent-protocol.md §8, Cookie). */
export interface SessionCookie {
  readonly clientId: string;
  readonly accountId: string;
  readonly credentialId: string;
}

type Signer = Pick<Store['secrets'], 'sign'>;

/** `<payload>.<signature>`, both base64url. Survives restarts, because the key is the installation's. */
export function signResume(signer: Signer, resumed: Resumed): string {
  return sign(signer, 'resume', resumed);
}

/** null when the text is not a token of ours. */
export function readResume(signer: Signer, token: string): Resumed | null {
  const value = read(signer, 'resume', token);
  if (value === null) return null;
  const { endpointId, bindId, accountId, scheme, binding, host, port, generated } = value;
  if (!isText(endpointId) || !isText(bindId) || !isText(accountId) || !isText(host)) return null;
  if (!isText(scheme) || !isScheme(scheme) || typeof port !== 'number') return null;
  if (binding !== 'public' && binding !== 'internal' && binding !== 'kubernetes') return null;
  return { endpointId, bindId, accountId, scheme, binding, host, port, generated: generated === true };
}

export function signCookie(signer: Signer, cookie: SessionCookie): string {
  return sign(signer, 'session', cookie);
}

export function readCookie(signer: Signer, token: string): SessionCookie | null {
  const value = read(signer, 'session', token);
  if (value === null) return null;
  const { clientId, accountId, credentialId } = value;
  return isText(clientId) && isText(accountId) && isText(credentialId) ? { clientId, accountId, credentialId } : null;
}

function sign(signer: Signer, purpose: string, value: object): string {
  const payload = Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${payload}.${signer.sign(`${purpose}:${payload}`)}`;
}

function read(signer: Signer, purpose: string, token: string): Record<string, unknown> | null {
  const dot = token.indexOf('.');
  if (dot <= 0 || token.length > 4096) return null;
  const payload = token.slice(0, dot);
  const expected = Buffer.from(signer.sign(`${purpose}:${payload}`));
  const given = Buffer.from(token.slice(dot + 1));
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return null;
  const value: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return typeof value === 'object' && value !== null ? { ...value } : null;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
