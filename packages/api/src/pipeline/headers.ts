import type { IncomingHttpHeaders } from 'node:http';
import { fail } from '@postern/errors';
import { quoted } from '../wire/ids.ts';

const API_VERSION = '2';

/** Throws 218 when Ngrok-Version is missing, 217 when it is anything but 2 (api.md §1.3). */
export function checkVersion(headers: IncomingHttpHeaders): void {
  const header = headers['ngrok-version'];
  const version = Array.isArray(header) ? header.join(', ') : (header ?? '').trim();
  if (version === '') throw fail(218);
  if (version !== API_VERSION) throw fail(217, { version: quoted(version) });
}

/**
 * Throws 216 and 210 (api.md §1.4). Only calls that bring a body are asked: npm's client sends a content type with
 * every GET, and others send none.
 */
export function checkContentType(headers: IncomingHttpHeaders): void {
  if (!bringsBody(headers)) return;
  const contentType = headers['content-type'];
  if (contentType === undefined || contentType.trim() === '') throw fail(216);
  const mediaType = contentType.split(';', 1)[0] ?? '';
  if (mediaType.trim().toLowerCase() !== 'application/json') throw fail(210, { content_type: quoted(contentType) });
}

function bringsBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
