/**
 * A visitor's browser as far as log-ins need one: it keeps cookies by RFC 6265 (hosts, domains, paths, ages, Secure, the
 * `__Host-` prefix), follows redirects, and goes to a platform's listeners for every name but an address.
 */
import { isIP } from 'node:net';
import http from 'node:http';
import type { Platform, Visit } from './platform.ts';
import { visitHttp2 } from './visit-http2.ts';

export interface Cookie {
  readonly name: string;
  value: string;
  readonly domain: string;
  readonly hostOnly: boolean;
  readonly path: string;
  readonly secure: boolean;
  readonly attributes: string;
}

export interface Page extends Visit {
  /** Where it ended. */
  readonly url: string;
  /** Every address on the way, the last one too. */
  readonly way: readonly string[];
}

export interface Going {
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  /** A form, posted by a page of another site: no cookie goes with it (SameSite=Lax). */
  readonly form?: string;
  /** Redirects that are followed; 20 by default. */
  readonly redirects?: number;
}

export class Browser {
  readonly cookies: Cookie[] = [];
  platform: Platform;
  readonly version: 1 | 2;

  constructor(platform: Platform, version: 1 | 2 = 1) {
    this.platform = platform;
    this.version = version;
  }

  async go(url: string, { method = 'GET', headers = {}, form, redirects = 20 }: Going = {}): Promise<Page> {
    const way = [url];
    for (let at = url, step = 0; ; step++) {
      // oxlint-disable-next-line no-await-in-loop -- each redirect says where the next one goes
      const answer = await (step === 0 && form !== undefined
        ? this.#post(at, form)
        : this.#ask(at, step === 0 ? method : 'GET', headers));
      this.#keep(new URL(at), answer.headers['set-cookie'] ?? []);
      const { location } = answer.headers;
      if (answer.status < 300 || answer.status > 399 || location === undefined || step >= redirects) {
        return { ...answer, url: at, way };
      }
      at = new URL(location, at).href;
      way.push(at);
    }
  }

  /** As people do who want to be somebody else there. */
  forget(host: string): void {
    this.cookies.splice(0, this.cookies.length, ...this.cookies.filter(({ domain }) => domain !== host));
  }

  /** Those that it would send there. */
  sent(url: string): readonly Cookie[] {
    const { hostname, pathname, protocol } = new URL(url);
    return this.cookies.filter(
      ({ domain, hostOnly, path, secure }) =>
        (hostOnly ? hostname === domain : hostname === domain || hostname.endsWith(`.${domain}`)) &&
        pathname.startsWith(path) &&
        (!secure || protocol === 'https:'),
    );
  }

  async #ask(url: string, method: string, headers: http.OutgoingHttpHeaders): Promise<Visit> {
    const cookie = this.sent(url)
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    const all = { accept: 'text/html', ...headers, ...(cookie === '' ? {} : { cookie }) };
    const { hostname, protocol } = new URL(url);
    if (isIP(hostname) !== 0) return direct(url, method, all);
    if (this.version === 2 && protocol === 'https:') return visitHttp2(this.platform, url, { method, headers: all });
    return this.platform.visit(url, { method, headers: all });
  }

  #post(url: string, body: string): Promise<Visit> {
    const headers = { accept: 'text/html', 'content-type': 'application/x-www-form-urlencoded' };
    const options = { method: 'POST', headers, body };
    return this.version === 2 ? visitHttp2(this.platform, url, options) : this.platform.visit(url, options);
  }

  #keep({ hostname, protocol }: URL, lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = '', ...rest] = line.split(';').map((part) => part.trim());
      const name = pair.slice(0, pair.indexOf('='));
      const value = pair.slice(pair.indexOf('=') + 1);
      const attributes = new Map(
        rest.map((part) => {
          const [key = '', text = ''] = part.split('=');
          return [key.toLowerCase(), text];
        }),
      );
      const domain = (attributes.get('domain') ?? '').replace(/^\./, '').toLowerCase();
      const path = attributes.get('path') ?? '/';
      const secure = attributes.has('secure');
      if (pair.length + line.length > 8_192 || pair.length > 4_096) continue;
      if (domain !== '' && hostname !== domain && !hostname.endsWith(`.${domain}`)) continue;
      if (secure && protocol !== 'https:') continue;
      if (name.startsWith('__Host-') && (!secure || domain !== '' || path !== '/')) continue;
      if (name.startsWith('__Secure-') && !secure) continue;
      const at = this.cookies.findIndex(
        (one) => one.name === name && one.domain === (domain || hostname) && one.path === path,
      );
      if (at !== -1) this.cookies.splice(at, 1);
      const age = attributes.get('max-age');
      const past = attributes.has('expires') && Date.parse(attributes.get('expires') ?? '') <= Date.now();
      if (age === undefined ? past : Number(age) <= 0) continue;
      this.cookies.push({
        name,
        value,
        domain: domain || hostname,
        hostOnly: domain === '',
        path,
        secure,
        attributes: rest.join('; '),
      });
    }
  }
}

function direct(url: string, method: string, headers: http.OutgoingHttpHeaders): Promise<Visit> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text: bytes.toString(), bytes });
      });
    });
    request.on('error', reject);
    request.end();
  });
}
