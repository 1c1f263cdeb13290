/**
 * Where http-request may go: an http or https endpoint whose name ends in `.internal`. Whether the account has one of that
 * name is found out when it is called; what is outside is never called, so that no policy can reach what only the server
 * can (its own network, cloud metadata).
 */

/** @returns the URL, or why it cannot be called (a clause without subject) */
export function callTarget(written: string, base?: string): URL | { readonly problem: string } {
  const text = written.trim();
  if (base === undefined && !/^https?:\/\//i.test(text)) return { problem: 'it must begin with http:// or https://' };
  if (!URL.canParse(text, base)) return { problem: 'it does not parse' };
  const url = new URL(text, base);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return { problem: 'only http and https can be called' };
  if (!url.hostname.endsWith('.internal')) {
    return { problem: 'only internal endpoints can be called, so its host must end in .internal' };
  }
  if (url.username !== '' || url.password !== '') return { problem: 'it may not have a user name' };
  url.hash = '';
  return url;
}
