import { createReadStream, type Stats } from 'node:fs';
import { opendir, realpath, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { codeOf } from '../problem.ts';
import { typeOf } from './media-types.ts';
import { rangeOf } from './range.ts';

/** Names that a listing shows; a folder may have millions. */
const MOST_ENTRIES = 1000;

/** Answers a request from the folder `root` (a real path). */
export async function answerFile(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return say(response, 405, 'Files are read with GET and HEAD.');
  }
  const [pathname, query] = splitTarget(request.url ?? '/');
  const file = await fileAt(root, pathname);
  if (file === null) return say(response, 404, `There is no ${printable(pathname)} here.`);
  if (!file.stats.isDirectory()) return sendFile(file.path, file.stats, request, response);
  if (!pathname.endsWith('/')) {
    // Links in the page are meant from inside the folder. Two slashes at the front would name another host.
    const place = `${pathname.replace(/^\/{2,}/, '/')}/${query === undefined ? '' : `?${query}`}`;
    response.writeHead(301, { location: place }).end();
    return undefined;
  }
  const index = await fileAt(root, `${pathname}index.html`);
  if (index?.stats.isFile() === true) return sendFile(index.path, index.stats, request, response);
  return sendListing(file.path, pathname, request, response);
}

function splitTarget(target: string): [pathname: string, query?: string] {
  const question = target.indexOf('?');
  return question === -1 ? [target] : [target.slice(0, question), target.slice(question + 1)];
}

/** What is there, below `root` whatever links say; null = nothing that is shown. */
async function fileAt(root: string, pathname: string): Promise<{ path: string; stats: Stats } | null> {
  let decoded: string;
  try {
    decoded = decodeURIComponent(pathname);
  } catch {
    return null;
  }
  const parts = decoded.split('/').filter((part) => part !== '');
  if (parts.some((part) => part.startsWith('.') || /[\\\0]/.test(part))) return null;
  try {
    const real = await realpath(path.join(root, ...parts));
    if (real !== root && !real.startsWith(root.endsWith(path.sep) ? root : root + path.sep)) return null;
    const stats = await stat(real);
    // No devices, pipes or sockets: opening one may never end.
    return stats.isFile() || stats.isDirectory() ? { path: real, stats } : null;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG'].includes(codeOf(error))) return null;
    throw error;
  }
}

async function sendFile(file: string, stats: Stats, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const etag = `W/"${stats.size.toString(16)}-${Math.floor(stats.mtimeMs).toString(16)}"`;
  const modified = stats.mtime.toUTCString();
  response.setHeader('etag', etag);
  response.setHeader('last-modified', modified);
  response.setHeader('accept-ranges', 'bytes');
  response.setHeader('cache-control', 'no-cache');
  response.setHeader('x-content-type-options', 'nosniff');
  const { 'if-none-match': match, 'if-modified-since': since, 'if-range': ifRange, range: wanted } = request.headers;
  if (match === undefined ? since === modified : match.includes(etag)) {
    response.writeHead(304).end();
    return;
  }
  response.setHeader('content-type', typeOf(file));
  const range = ifRange === undefined || ifRange === modified ? rangeOf(wanted, stats.size) : null;
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'content-range': `bytes */${stats.size}` }).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: stats.size - 1 };
  response.writeHead(range === null ? 200 : 206, {
    'content-length': end - start + 1,
    ...(range === null ? {} : { 'content-range': `bytes ${start}-${end}/${stats.size}` }),
  });
  if (request.method === 'HEAD' || end < start) response.end();
  else await pipeline(createReadStream(file, { start, end }), response);
}

async function sendListing(
  folder: string,
  pathname: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const names: string[] = [];
  let more = false;
  for await (const entry of await opendir(folder)) {
    if (entry.name.startsWith('.')) continue;
    if (names.length === MOST_ENTRIES) {
      more = true;
      break;
    }
    names.push(entry.isDirectory() ? `${entry.name}/` : entry.name);
  }
  const title = escaped(printable(pathname));
  const up = pathname === '/' ? [] : ['<li><a href="../">../</a></li>'];
  const rows = names
    .toSorted()
    .map((name) => `<li><a href="./${encodeURIComponent(name).replace(/%2F$/, '/')}">${escaped(name)}</a></li>`);
  const page = `<!doctype html><meta charset="utf-8"><title>${title}</title><h1>${title}</h1><ul>${[...up, ...rows].join('')}</ul>${
    more ? `<p>Only ${MOST_ENTRIES} are shown.</p>` : ''
  }`;
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(page),
    'content-security-policy': "default-src 'none'",
  });
  response.end(request.method === 'HEAD' ? undefined : page);
}

function say(response: ServerResponse, status: number, words: string): undefined {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${words}\n`);
}

function printable(pathname: string): string {
  return pathname.slice(0, 200);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
