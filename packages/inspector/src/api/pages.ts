import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ApiProblem, type Call } from './answer.ts';
import type { Route } from './route.ts';

/** Where the built pages are: a folder with `index.html` and `assets/`. Rejects with words for people. */
export type PagesFolder = () => Promise<string>;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Nothing from elsewhere, nothing inline, in nobody's frame. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
};

/** `/inspect/http`, `/status` and what they are made of. */
export function pageRoutes(folder: PagesFolder): readonly Route[] {
  const index = async (call: Call): Promise<void> => send(call, folder, 'index.html', 'no-store');
  const toIndex = ({ response }: Call): void =>
    void response.writeHead(302, { location: '/inspect/http', 'cache-control': 'no-store' }).end();
  return [
    { path: '/', page: true, GET: toIndex },
    { path: '/inspect', page: true, GET: toIndex },
    { path: '/inspect/http', page: true, GET: index },
    { path: '/inspect/http/:id', page: true, GET: index },
    { path: '/status', page: true, GET: index },
    {
      path: '/assets/:file',
      // Their names hold a digest of what is in them.
      GET: async (call) => send(call, folder, `assets/${call.params[0]}`, 'public, max-age=31536000, immutable'),
    },
  ];
}

async function send({ response }: Call, folder: PagesFolder, name: string, cache: string): Promise<void> {
  if (!/^(?:assets\/)?[\w-]+(?:\.[\w-]+)*\.(?:html|js|css|svg)$/.test(name)) throw new ApiProblem(404, 'not found');
  let root: string;
  try {
    root = await folder();
  } catch (error) {
    response.writeHead(503, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
    response.end(`The pages are not here: ${error instanceof Error ? error.message : String(error)}\n`);
    return;
  }
  const body = await readFile(path.join(root, name)).catch(() => null);
  if (body === null) throw new ApiProblem(404, 'not found');
  response.writeHead(200, {
    ...HEADERS,
    'content-type': TYPES[path.extname(name)] ?? 'application/octet-stream',
    'content-length': body.length,
    'cache-control': cache,
  });
  response.end(body);
}
