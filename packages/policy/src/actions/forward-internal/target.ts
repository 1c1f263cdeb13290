/** Where forward-internal may go: an `.internal` endpoint of the same family of protocols. */
import { isScheme, type Scheme } from '@postern/link';
import type { InternalAddress, PhaseName } from '../../runtime.ts';

const DEFAULT_PORTS = { http: 80, https: 443, tls: 443, tcp: null } as const satisfies Record<Scheme, number | null>;
/** Host and port; what stands around them is told by the words of its own. */
const AUTHORITY = /^[^/?#@:\s]+(?::(\d{1,5}))?\/?$/;

export interface TargetProblem {
  /** Why it cannot be a target: a clause. */
  readonly problem: string;
}

export function forwardTarget(written: string, phase: PhaseName, protocol: Scheme): InternalAddress | TargetProblem {
  const text = written.trim();
  const mark = text.indexOf('://');
  const web = isWeb(protocol);
  const scheme = mark === -1 ? (web ? 'https' : protocol) : text.slice(0, mark).toLowerCase();
  if (!isScheme(scheme)) return { problem: 'it must begin with http://, https://, tcp:// or tls://' };
  const rest = mark === -1 ? text : text.slice(mark + 3);
  if (!URL.canParse(`http://${rest}`)) return { problem: 'it does not parse' };
  const parsed = new URL(`http://${rest}`);
  const { hostname: host } = parsed;
  if (!host.endsWith('.internal')) return { problem: 'its host must end in .internal' };
  if (parsed.username !== '' || parsed.password !== '') return { problem: 'it may not have a user name' };
  if (parsed.pathname !== '/' || parsed.search !== '' || parsed.hash !== '') {
    return { problem: 'it may not have a path; the path of the request goes on as it is' };
  }
  const authority = AUTHORITY.exec(rest);
  if (authority === null) return { problem: 'it does not parse' };
  const webTarget = isWeb(scheme);
  if (phase === 'on_http_request' && !webTarget) return { problem: 'a request can go on to http and https only' };
  if (!web && webTarget) return { problem: `a ${protocol} connection can go on to tcp and tls only` };
  const port = authority[1] === undefined ? DEFAULT_PORTS[scheme] : Number(authority[1]);
  if (port === null || port === 0) return { problem: 'a tcp URL needs a port' };
  const url = `${scheme}://${rest}`;
  return { scheme, host, port, url: url.endsWith('/') ? url.slice(0, -1) : url };
}

function isWeb(scheme: Scheme): boolean {
  return scheme === 'http' || scheme === 'https';
}
