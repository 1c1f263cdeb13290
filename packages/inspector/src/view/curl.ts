import { isTruncated, wholeRequest } from './exchange-view.ts';
import { textOf } from './body.ts';
import type { Exchange } from '../record/exchange.ts';

/** What curl says by itself, or what belongs to one connection. */
const LEFT_OUT = /^(?:host|content-length|transfer-encoding|connection|keep-alive|expect)$/i;
/** What the edge adds. */
const ADDED = /^(?:x-forwarded-(?:for|host|proto)|postern-hop)$/i;

/** The request as a command of a POSIX shell, sent to where visitors send it. */
export function curlOf(exchange: Exchange, publicUrl: string): string {
  const { line, fields, body } = wholeRequest(exchange);
  const [method, target] = line;
  const base = publicUrl.replace(/\/$/, '');
  const parts = [`curl ${quoted(`${base}${target.startsWith('/') ? target : `/${target}`}`)}`];
  if (method !== 'GET' || body.length > 0) parts.push(`-X ${quoted(method)}`);
  if (method === 'HEAD') parts.push('--head');
  for (const [name, value] of fields)
    if (!LEFT_OUT.test(name) && !ADDED.test(name)) parts.push(`-H ${quoted(`${name}: ${value}`)}`);
  let before = '';
  if (body.length > 0) {
    const text = textOf(body, '', isTruncated(exchange.request));
    if (text === undefined || text.startsWith('@')) {
      before = `printf %s ${quoted(body.toString('base64'))} | base64 -d | `;
      parts.push('--data-binary @-');
    } else parts.push(`--data-raw ${quoted(text)}`);
  }
  const note = isTruncated(exchange.request) ? '# The body is longer than what was kept of it.\n' : '';
  return `${note}${before}${parts.join(' \\\n  ')}\n`;
}

function quoted(text: string): string {
  return /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
