import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/**
 * Who may ask. The API has no password: what keeps pages of strangers out is that a browser says where a request comes
 * from. A page that points a name of its own here (DNS rebinding) shows by its Host; one of another origin by Origin and
 * Sec-Fetch-Site. A page of another port of this machine is of another origin too.
 */
export class Guard {
  readonly #names = new Set<string>();
  readonly #suffixes: string[] = [];
  readonly #addresses = new BlockList();
  readonly #list: readonly string[];

  /**
   * @param allowed exact names and addresses, CIDRs, `.suffix`; empty = this machine's own
   * @throws Error that names what cannot be read
   */
  constructor(allowed: readonly string[]) {
    this.#list = allowed;
    for (const each of allowed) this.#allow(each.trim().toLowerCase());
  }

  /** @returns why not; null = welcome. `page`: what is asked for is a page, which links elsewhere may lead to. */
  refusal(request: IncomingMessage, page: boolean): string | null {
    const { host = '', origin } = request.headers;
    if (!this.#knows(hostNameOf(host), request.socket.localAddress ?? ''))
      return `the host "${host}" is not served here; name it in web_allow_hosts to allow it`;
    const own = [`http://${host}`, `https://${host}`];
    if (origin !== undefined && !own.includes(origin)) return `pages of ${origin} may not call this API`;
    const site = request.headers['sec-fetch-site'];
    if (site === undefined || site === 'same-origin' || site === 'none') return null;
    if (page && request.headers['sec-fetch-mode'] === 'navigate' && request.headers['sec-fetch-dest'] === 'document')
      return null;
    return 'pages of another origin may not call this API';
  }

  #allow(text: string): void {
    const [, base, bits] = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(text) ?? [];
    const version = isIP(base ?? text);
    try {
      if (base !== undefined && bits !== undefined)
        this.#addresses.addSubnet(base, Number(bits), version === 6 ? 'ipv6' : 'ipv4');
      else if (version > 0) this.#addresses.addAddress(text, version === 6 ? 'ipv6' : 'ipv4');
      else if (/^\.[a-z0-9.-]+$/.test(text)) this.#suffixes.push(text);
      else if (/^[a-z0-9_.-]+$/.test(text)) this.#names.add(text);
      else throw new Error('neither a name, an address, a CIDR nor a .suffix');
    } catch (cause) {
      throw new Error(`web_allow_hosts: "${text}" cannot be used: ${String(cause)}`, { cause });
    }
  }

  #knows(name: string, localAddress: string): boolean {
    const version = isIP(name);
    // An address as Host is no name that somebody could have pointed here.
    if (version > 0 && sameAddress(name, localAddress)) return true;
    if (this.#list.length === 0)
      return name === 'localhost' || name.endsWith('.localhost') || (version > 0 && isLoopback(name));
    if (version > 0) return this.#addresses.check(name, version === 6 ? 'ipv6' : 'ipv4');
    return this.#names.has(name) || this.#suffixes.some((suffix) => name.endsWith(suffix));
  }
}

/** Without port and brackets. */
function hostNameOf(host: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host.toLowerCase()) ?? [];
  return bracketed ?? plain ?? '';
}

function sameAddress(name: string, address: string): boolean {
  return address === name || address === `::ffff:${name}`;
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address);
}
