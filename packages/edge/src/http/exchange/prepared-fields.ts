/**
 * What a proxy does to the fields of a message on its way (traffic-policy.md §10): fields of one hop and reserved ones
 * go, `x-forwarded-*` come, before any policy looks. One pass over the list, in place.
 */
import { LOGIN_COOKIES, splitCookies } from '@postern/policy';
import { connectionTokens, type RawFields } from '@postern/protocol';
import type { VisitorFacts } from '../../context.ts';
import { isNamed, isOfOneHop } from './fields.ts';
import { isHopMark } from './hop-mark.ts';
import { settlingOf } from './settled-fields.ts';

const NONE: ReadonlySet<string> = new Set();

/**
 * Prepares a visitor's fields for policy and upstream.
 * @param host the one form of it (lower case, no root dot): what rules and routes see, the service gets
 * @returns cookies of log-ins, which neither rules nor services see
 */
export function prepareRequestFields(fields: RawFields, connection: VisitorFacts, host: string): string {
  const nominated = nominatedIn(fields);
  let forwardedFor = '';
  let forwardedProto = '';
  let forwardedHost = '';
  let loginCookies = '';
  let hostAt = -1;
  let kept = 0;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? '';
    let value = fields[at + 1] ?? '';
    const settling = settlingOf(name);
    if (settling !== null) {
      if (settling === 'made-here') {
        const lower = name.toLowerCase();
        if (lower === 'x-forwarded-for') forwardedFor += `${value}, `;
        else if (lower === 'x-forwarded-proto') forwardedProto += `${value}, `;
        else forwardedHost ||= value;
        continue;
      }
      if (settling === 'drop' || !connection.fromTrustedProxy) continue;
    }
    if (isOfOneHop(name)) continue;
    if (nominated !== NONE && nominated.has(name.toLowerCase())) continue;
    if (hostAt === -1 && isNamed(name, 'host')) hostAt = kept;
    if (name.length === 6 && value.includes(LOGIN_COOKIES) && isNamed(name, 'cookie')) {
      const { ours, others } = splitCookies(value);
      if (ours !== '') loginCookies += loginCookies === '' ? ours : `; ${ours}`;
      if (others === '') continue;
      value = others;
    }
    fields[kept] = name;
    fields[kept + 1] = value;
    kept += 2;
  }
  // Setting a length is a slow call even when nothing changes.
  if (kept !== fields.length) fields.length = kept;
  if (hostAt === -1) fields.unshift('Host', host);
  else if (fields[hostAt + 1] !== host) fields[hostAt + 1] = host;
  fields.push('X-Forwarded-For', forwardedFor + connection.conn.clientIp);
  fields.push('X-Forwarded-Host', forwardedHost !== '' && connection.fromTrustedProxy ? forwardedHost : host);
  fields.push('X-Forwarded-Proto', forwardedProto + connection.scheme);
  return loginCookies;
}

/** @returns the Keep-Alive value, '' when there is none */
export function prepareResponseFields(fields: RawFields): string {
  const nominated = nominatedIn(fields);
  let keepAlive = '';
  let kept = 0;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? '';
    const value = fields[at + 1] ?? '';
    if (isOfOneHop(name)) {
      if (name.length === 10 && isNamed(name, 'keep-alive')) keepAlive = value;
      continue;
    }
    if (name.length === 16 && isNamed(name, 'ngrok-error-code')) continue;
    if (isHopMark(name, value)) continue;
    if (nominated !== NONE && nominated.has(name.toLowerCase())) continue;
    fields[kept] = name;
    fields[kept + 1] = value;
    kept += 2;
  }
  if (kept !== fields.length) fields.length = kept;
  return keepAlive;
}

function nominatedIn(fields: RawFields): ReadonlySet<string> {
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? '';
    if (name.length !== 10 || !isNamed(name, 'connection')) continue;
    // The two values that nearly every message carries name nothing.
    const value = fields[at + 1] ?? '';
    if (isNamed(value, 'keep-alive') || isNamed(value, 'close')) continue;
    const tokens = connectionTokens(fields);
    return tokens.size === 0 ? NONE : withoutForwarded(tokens);
  }
  return NONE;
}

/** A visitor cannot have the fields taken out that tell the service who it is. */
function withoutForwarded(tokens: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...tokens].filter((name) => !name.startsWith('x-forwarded-') && name !== 'keep-alive'));
}
