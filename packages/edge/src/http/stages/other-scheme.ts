/** A name that is served, but not over the scheme that the visitor came by. */
import { fail, type PosternError } from '@postern/errors';
import { NAMED_SCHEMES } from '@postern/link';
import { originForm } from '@postern/protocol';
import type { EdgeContext } from '../../context.ts';
import { answerWith } from '../answers/answer.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { acceptOf, movedPage } from '../answers/pages.ts';
import { hostOf } from '../exchange/requester.ts';

/**
 * Where the visitor of an http:// URL finds the same page, or null: the name is that of an https or a tls endpoint, the
 * path and query are the same, the port is the one that visitors see.
 */
export function secureLocation({ routes, config }: EdgeContext, exchange: Exchange): string | null {
  const { authority, method, scheme, target: asked } = exchange.request;
  if (!config.redirectToHttps || scheme !== 'http') return null;
  const host = hostOf(authority).toLowerCase();
  if (routes.findTls(host) === null) return null;
  const target = originForm(method, asked);
  return `${originOf('https', host, config.publicHttpsPort)}${target.startsWith('/') ? target : '/'}`;
}

/** 307: the method and the body stay what they are (RFC 9110 §15.4.8), and nothing remembers it for good. */
export function answerElsewhere(exchange: Exchange, location: string): void {
  const { type, body } = movedPage(location, acceptOf(exchange.request.fields));
  answerWith(
    exchange,
    307,
    [
      ['Location', location],
      ['Content-Type', type],
      ['Cache-Control', 'no-store'],
      ['X-Content-Type-Options', 'nosniff'],
    ],
    body,
  );
}

/** Nothing is online there: perhaps under the other scheme. 3200, 90001; 90019 where an agent is coming back */
export function notHere({ routes, returning, config }: EdgeContext, exchange: Exchange): PosternError {
  const { scheme, authority } = exchange.request;
  const url = `${scheme}://${authority}`;
  const host = hostOf(authority).toLowerCase();
  const found = scheme === 'http' ? routes.findTls(host) : routes.findHttp('http', host);
  const away = found === null && NAMED_SCHEMES.some((other) => returning.expects(other, host));
  if (away || returning.expects(scheme, host)) return fail(90019, { url });
  if (found === null) return fail(3200, { url });
  const other =
    scheme === 'http' ? originOf('https', host, config.publicHttpsPort) : originOf('http', host, config.publicHttpPort);
  return fail(90001, { url, other }, { details: { url: `${other}/` } });
}

export function originOf(scheme: 'http' | 'https', host: string, port: number): string {
  return `${scheme}://${host}${port === (scheme === 'http' ? 80 : 443) ? '' : `:${port}`}`;
}
