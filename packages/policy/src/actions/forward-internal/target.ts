/** Where forward-internal may go: an `.internal` endpoint of the same family of protocols. */
import { isScheme, type Scheme } from '@postern/link';
import type { PhaseName } from '../../runtime.ts';

/** @returns the URL with its scheme, or why it cannot be a target (a clause without subject). */
export function forwardTarget(
  written: string,
  phase: PhaseName,
  protocol: Scheme,
): { readonly url: string } | { readonly problem: string } {
  const text = written.trim();
  const mark = text.indexOf('://');
  const web = protocol === 'http' || protocol === 'https';
  const scheme = mark === -1 ? (web ? 'https' : protocol) : text.slice(0, mark).toLowerCase();
  if (!isScheme(scheme)) return { problem: 'it must begin with http://, https://, tcp:// or tls://' };
  const rest = mark === -1 ? text : text.slice(mark + 3);
  const url = `${scheme}://${rest}`;
  if (!URL.canParse(`http://${rest}`)) return { problem: 'it does not parse' };
  const parsed = new URL(`http://${rest}`);
  if (!parsed.hostname.endsWith('.internal')) return { problem: 'its host must end in .internal' };
  if (parsed.username !== '' || parsed.password !== '') return { problem: 'it may not have a user name' };
  if (parsed.pathname !== '/' || parsed.search !== '' || parsed.hash !== '') {
    return { problem: 'it may not have a path; the path of the request goes on as it is' };
  }
  const webTarget = scheme === 'http' || scheme === 'https';
  if (phase === 'on_http_request' && !webTarget) return { problem: 'a request can go on to http and https only' };
  if (!web && webTarget) return { problem: `a ${protocol} connection can go on to tcp and tls only` };
  return { url: url.endsWith('/') ? url.slice(0, -1) : url };
}
