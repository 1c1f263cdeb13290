import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { listen } from '../listeners/listen.ts';

/** Where the demo's cloud endpoint shows it. */
const MOUNTED = '/app';
/** The largest body that `/echo` takes. */
const LARGEST_ECHO = 1024 * 1024;

/** A small application of the kind that people share: a page, some JSON, an echo, a live stream. */
export interface SampleApp {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts it on a free loopback port. */
export async function startSampleApp(now: () => number): Promise<SampleApp> {
  const server = createServer((request, response) => answer(request, response, now));
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  return { url: `http://127.0.0.1:${port}`, close: () => closeServer(server) };
}

function answer(request: IncomingMessage, response: ServerResponse, now: () => number): void {
  const whole = (request.url ?? '/').split('?')[0] ?? '/';
  // Behind the cloud endpoint it lies under /app, and links have to stay there.
  const base = whole === MOUNTED || whole.startsWith(`${MOUNTED}/`) ? MOUNTED : '';
  const path = whole.slice(base.length) || '/';
  if (path === '/') return page(request, response, base);
  if (path === '/time') return json(response, { now: new Date(now()).toISOString() });
  if (path === '/headers') return json(response, request.headers);
  if (path === '/events') return events(response, now);
  if (path === '/echo') return echo(request, response);
  response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`Nothing here. Try ${base}/, ${base}/time, ${base}/headers, ${base}/events or POST ${base}/echo.\n`);
}

function page(request: IncomingMessage, response: ServerResponse, base: string): void {
  const visitor = escapeHtml(String(request.headers['x-forwarded-for'] ?? request.socket.remoteAddress ?? ''));
  const host = escapeHtml(request.headers.host ?? '');
  const link = (route: string): string => `<a href="${base}${route}">${base}${route}</a>`;
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  response.end(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Postern demo</title>
<style>body{font:16px/1.6 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem;color:#1c2430}
code{background:#eef1f5;padding:.1em .35em;border-radius:4px}a{color:#0b57d0}</style></head>
<body><h1>It works.</h1>
<p>This page comes from an application on a loopback port. An agent dialled out to Postern and published it as
<code>${host}</code>; you are <code>${visitor}</code>.</p>
<p>Look further: ${link('/time')}, ${link('/headers')}, ${link('/events')} (a live stream).</p>
<p id="tick"></p>
<script>new EventSource('${base}/events').onmessage=(m)=>{document.getElementById('tick').textContent='Live: '+m.data}</script>
</body></html>
`);
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
  response.end(`${JSON.stringify(value, null, 2)}\n`);
}

function events(response: ServerResponse, now: () => number): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const send = (): boolean => response.write(`data: ${new Date(now()).toISOString()}\n\n`);
  send();
  const timer = setInterval(send, 1000);
  response.on('close', () => clearInterval(timer));
}

function echo(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': request.headers['content-type'] ?? 'application/octet-stream' });
  let received = 0;
  request.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received > LARGEST_ECHO) {
      response.end();
      request.destroy();
    } else if (!response.write(chunk)) {
      request.pause();
      response.once('drain', () => request.resume());
    }
  });
  request.on('end', () => response.end());
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
