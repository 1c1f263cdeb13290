import { AgentError } from '../agent-error.ts';
import type { AgentOptions } from '../options.ts';

/** Which proxy leads to an address. @throws AgentError when it is none */
export function proxyFor(proxy: AgentOptions['proxy'], serverAddr: string): ProxyAddress | undefined {
  const text = typeof proxy === 'function' ? proxy(serverAddr) : proxy;
  return text === undefined ? undefined : parseProxy(text);
}

/** A proxy on the way to the server. */
export interface ProxyAddress {
  readonly scheme: 'http' | 'https' | 'socks5';
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  /** '' without. */
  readonly user: string;
  readonly password: string;
}

const PORTS = { http: 80, https: 443, socks5: 1080 } as const;
/** A user name or password of SOCKS (RFC 1929) has at most so many bytes. */
const MOST_SOCKS_BYTES = 255;

/**
 * `http://user:password@host:port`, `https://…`, `socks5://…` (`socks5h` is the same: names are resolved by the proxy);
 * without a scheme http is meant.
 * @throws AgentError that does not repeat the text, which may have a password in it
 */
export function parseProxy(text: string): ProxyAddress {
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const scheme = whole.slice(0, whole.indexOf(':')).toLowerCase().replace('socks5h', 'socks5');
  if (scheme !== 'http' && scheme !== 'https' && scheme !== 'socks5')
    throw new AgentError(`The proxy has the scheme ${scheme}; it is http, https or socks5.`);
  let url: URL;
  try {
    // The parser keeps hosts of schemes that it does not know as they are; the scheme is judged already.
    url = new URL(whole.replace(/^[^:]*/, 'http'));
  } catch (cause) {
    throw new AgentError('The proxy is not of the form http://host:port, https://host:port or socks5://host:port.', {
      cause,
    });
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw new AgentError('The proxy has a path; it is scheme, host and port.');
  // The parser drops port 80, which is the default of one scheme only.
  const hasPort80 = /:80\/?$/.test(whole);
  const port = url.port === '' ? (hasPort80 ? 80 : PORTS[scheme]) : Number(url.port);
  const [user, password] = [decoded(url.username), decoded(url.password)];
  if (scheme === 'socks5' && [user, password].some((part) => Buffer.byteLength(part) > MOST_SOCKS_BYTES))
    throw new AgentError(`User and password of a SOCKS proxy have at most ${MOST_SOCKS_BYTES} bytes each.`);
  return { scheme, host: url.hostname.replaceAll(/^\[|\]$/g, ''), port, user, password };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
