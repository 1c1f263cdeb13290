import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serveFolder } from './serve-folder.ts';

let folder: string;
let server: net.Server;
let base: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-files-'));
  const root = path.join(folder, 'root');
  await mkdir(path.join(root, 'site'), { recursive: true });
  await mkdir(path.join(root, 'list'));
  await writeFile(path.join(folder, 'secret'), 'secret');
  await writeFile(path.join(root, 'site', 'index.html'), '<p>index');
  await writeFile(path.join(root, 'list', 'a & b.txt'), '0123456789');
  await writeFile(path.join(root, 'list', '.hidden'), 'hidden');
  await symlink(path.join(folder, 'secret'), path.join(root, 'out'));
  const serve = await serveFolder(pathToFileURL(root).href);
  server = net.createServer((socket) => serve(socket, { clientAddr: '127.0.0.1:1', proto: 'http' }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

async function get(target: string, headers: Record<string, string> = {}, method = 'GET') {
  const options = { headers: { connection: 'close', ...headers }, method, redirect: 'manual' } as const;
  const response = await fetch(base + target, options);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** As it is written, which clients would clean up. */
function raw(target: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = net.connect(Number(new URL(base).port), '127.0.0.1');
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
    socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  });
}

test('index pages, listings, types', async () => {
  expect(await get('/site/')).toMatchObject({ status: 200, text: '<p>index' });
  const moved = await get('/site?a=1');
  expect([moved.status, moved.headers.get('location')]).toEqual([301, '/site/?a=1']);
  const listing = await get('/list/');
  expect(listing.text).toContain('<a href="./a%20%26%20b.txt">a &amp; b.txt</a>');
  expect(listing.text).not.toContain('hidden');
  const file = await get('/list/a%20%26%20b.txt');
  expect([file.text, file.headers.get('content-type')]).toEqual(['0123456789', 'text/plain; charset=utf-8']);
  const head = await get('/list/a%20%26%20b.txt', {}, 'HEAD');
  expect([head.text, head.headers.get('content-length')]).toEqual(['', '10']);
});

test.each([
  ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
  ['bytes=7-', 206, '789', 'bytes 7-9/10'],
  ['bytes=-2', 206, '89', 'bytes 8-9/10'],
  ['bytes=8-99', 206, '89', 'bytes 8-9/10'],
  ['bytes=10-', 416, '', 'bytes */10'],
  ['bytes=0-1,3-4', 200, '0123456789', null],
  ['bytes=4-2', 200, '0123456789', null],
  ['lines=1-2', 200, '0123456789', null],
])('Range: %s', async (range, status, text, shown) => {
  const answer = await get('/list/a%20%26%20b.txt', { range });
  expect([answer.status, answer.text, answer.headers.get('content-range')]).toEqual([status, text, shown]);
});

test('what has not changed is not sent again', async () => {
  const { headers } = await get('/site/index.html');
  expect((await get('/site/index.html', { 'if-none-match': headers.get('etag') ?? '' })).status).toBe(304);
  expect((await get('/site/index.html', { 'if-modified-since': headers.get('last-modified') ?? '' })).status).toBe(304);
});

test.each([
  '/../secret',
  '/%2e%2e/secret',
  '/..%2fsecret',
  '/site/..%5c..%5csecret',
  '/out',
  '/list/.hidden',
  '/%00',
  '/%zz',
])('%s is not there', async (target) => {
  const answer = await raw(target);
  expect(answer).toMatch(/^HTTP\/1\.1 404 /);
  expect(answer).not.toContain('\r\n\r\nsecret');
});

test('reading only', async () => {
  const answer = await get('/site/', {}, 'PUT');
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

test.each([['file:///absent-folder'], ['file://elsewhere/x'], ['file:relative']])('%s is refused', async (target) => {
  await expect(serveFolder(target)).rejects.toThrow('cannot be served');
});
