/**
 * Error answers of our own: a page for browsers, the API's envelope for programs that ask for JSON, text for the rest
 * (agent-and-ux.md §3.11). Always with `ngrok-error-code`; never an interstitial.
 */
import { fail, type PosternError } from '@postern/errors';
import type { Http1Failure, RawFields } from '@postern/protocol';
import { valueOf } from '../exchange/fields.ts';

export interface Page {
  readonly status: number;
  /** With content-type, content-length, ngrok-error-code and cache-control. */
  readonly fields: RawFields;
  readonly body: Buffer;
}

/** What `deny` shows a browser; programs get the status alone, as published. null = nothing to show. */
export function deniedPage(status: number, host: string, accept: string): Buffer | null {
  if (status < 400 || negotiate(accept) !== 'html') return null;
  return Buffer.from(
    htmlPage({
      title: 'Access denied',
      paragraphs: [
        `The rules of ${host === '' ? 'this endpoint' : host} do not let this request in.`,
        'If you should have access, ask whoever runs it: the rule is in the traffic policy of the endpoint. You can ' +
          'also go back to its first page.',
      ],
      link: '/',
      footer: `${status} \u00b7 denied by a rule`,
    }),
  );
}

/** Where the same page is served, for a visitor who came over the other scheme. */
export function movedPage(location: string, accept: string): { readonly type: string; readonly body: Buffer } {
  const words = 'This name is served over HTTPS only. The same page is here:';
  if (negotiate(accept) !== 'html') return { type: CONTENT_TYPE.text, body: Buffer.from(`${words} ${location}\n`) };
  const footer = '307 \u00b7 the address has moved to https://';
  const body = Buffer.from(htmlPage({ title: 'Over HTTPS', paragraphs: [words], link: location, footer }));
  return { type: CONTENT_TYPE.html, body };
}

type MediaKind = 'html' | 'json' | 'text';

/**
 * @param accept the visitor's Accept value, '' when there is none
 * @param status answered instead of the error's own, for failures that have several
 */
export function renderPage(
  error: PosternError,
  accept: string,
  extra: readonly (readonly [string, string])[] = [],
  status: number = error.status,
): Page {
  const kind = negotiate(accept);
  const body = Buffer.from(
    kind === 'html' ? errorHtml(error, status) : kind === 'json' ? json(error, status) : text(error),
  );
  const fields: RawFields = ['Content-Type', CONTENT_TYPE[kind], 'Content-Length', String(body.length)];
  fields.push('Cache-Control', 'no-store', 'Ngrok-Error-Code', error.code, 'X-Content-Type-Options', 'nosniff');
  for (const [name, value] of extra) fields.push(name, value);
  return { status, fields, body };
}

/** What a visitor is told whose message the codec has refused. It is answered with the failure's own status. */
export function refusalError(failure: Http1Failure, headBytes: number): PosternError {
  switch (failure.status) {
    case 405:
      return fail(90009, { method: 'CONNECT' });
    case 414:
    case 431:
      return fail(90003, { limit: headBytes });
    default:
      return fail(90002, { reason: failure.reason });
  }
}

/** Accept of a raw field list. */
export function acceptOf(fields: RawFields): string {
  return valueOf(fields, 'accept') ?? '';
}

const CONTENT_TYPE: Record<MediaKind, string> = {
  html: 'text/html; charset=utf-8',
  json: 'application/json',
  text: 'text/plain; charset=utf-8',
};

/** The best of the three by q, named types only: a bare "*" + "/*" is what curl sends, and it wants text. */
export function negotiate(accept: string): MediaKind {
  let best: MediaKind = 'text';
  let bestQuality = 0;
  for (const range of accept.split(',')) {
    const [type = '', ...params] = range.split(';');
    const kind = kindOf(type.trim().toLowerCase());
    if (kind === null) continue;
    const quality = qualityOf(params);
    if (quality > bestQuality) {
      best = kind;
      bestQuality = quality;
    }
  }
  return best;
}

function kindOf(type: string): MediaKind | null {
  if (type === 'text/html' || type === 'application/xhtml+xml') return 'html';
  if (type === 'application/json' || type.endsWith('+json')) return 'json';
  return type === 'text/plain' ? 'text' : null;
}

function qualityOf(params: readonly string[]): number {
  for (const param of params) {
    const [name = '', value = ''] = param.split('=');
    if (name.trim().toLowerCase() !== 'q') continue;
    const quality = Number(value.trim());
    return Number.isFinite(quality) ? quality : 0;
  }
  return 1;
}

function json(error: PosternError, status: number): string {
  return JSON.stringify({
    error_code: error.code,
    status_code: status,
    msg: error.message,
    details: error.details,
  });
}

function text(error: PosternError): string {
  return `${error.title}: ${error.message}\n\n${error.code}\n`;
}

const WHO: Record<PosternError['owner'], string> = {
  client: 'The request has to change before it can be answered.',
  config: 'Whoever runs this endpoint can put it right.',
  upstream: 'The service behind this endpoint has to be looked at.',
  capacity: 'Nothing is broken; there is just too much at once.',
  platform: 'The fault is on the side of this server.',
};

/** `details.url` of an error is where its reader goes on. */
function errorHtml(error: PosternError, status: number): string {
  const { url = '' } = error.details;
  return htmlPage({
    title: error.title,
    paragraphs: [error.message, WHO[error.owner]],
    link: url,
    footer: `${status} \u00b7 ${error.code}`,
  });
}

interface HtmlPage {
  readonly title: string;
  readonly paragraphs: readonly string[];
  /** Absolute http(s) URL or path; '' = none. */
  readonly link: string;
  readonly footer: string;
}

/** Loads nothing, and repeats nothing unescaped. */
export function htmlPage({ title, paragraphs, link, footer }: HtmlPage): string {
  const linked = link === '' ? '' : `<p><a href="${escape(link)}">${escape(link)}</a></p>\n`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escape(title)}</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 12vh auto 0; max-width: 38rem; padding: 0 1.5rem; }
h1 { font-size: 1.6rem; margin: 0 0 0.75rem; }
p { margin: 0 0 1rem; overflow-wrap: anywhere; }
small { opacity: 0.7; }
</style>
</head>
<body>
<main>
<h1>${escape(title)}</h1>
${paragraphs.map((paragraph) => `<p>${escape(paragraph)}</p>\n`).join('')}${linked}<p><small>${escape(footer)}</small></p>
</main>
</body>
</html>
`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escape(value: string): string {
  return value.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
