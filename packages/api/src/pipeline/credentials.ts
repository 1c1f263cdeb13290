import { fail } from '@postern/errors';

/**
 * The API key of an Authorization header: Bearer, or Basic with the key as password (or as user name without one).
 * Throws 200 and 201; what the key is worth is control's question. Nothing here repeats the credential.
 */
export function readCredential(header: string | undefined): string {
  if (header === undefined || header.trim() === '') throw fail(200);
  const match = /^\s*(bearer|basic)\s+(\S{1,1024})\s*$/i.exec(header);
  const [, scheme, value] = match ?? [];
  if (scheme === undefined || value === undefined) throw fail(201);
  if (scheme.toLowerCase() === 'bearer') return value;
  const text = Buffer.from(value, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) throw fail(201);
  const key = text.slice(colon + 1) || text.slice(0, colon);
  if (key === '') throw fail(201);
  return key;
}
