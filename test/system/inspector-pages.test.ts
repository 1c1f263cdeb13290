/** The inspector's pages in a real Chromium, as people use them. */
import { mkdir, readFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import axe from 'axe-core';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';
import { startBrowser, type TestBrowser } from '../support/browser.ts';
import { Platform, splitAddress } from '../support/platform.ts';
import { portOf } from '../support/port-of.ts';
import { Tunnel } from '../support/tunnel.ts';
import { until } from '../support/until.ts';

/** Where pictures for docs/ are put; without it none are made. */
const PICTURES = process.env['POSTERN_PICTURES'] ?? '';

let platform: Platform;
let service: http.Server;
let sockets: WebSocketServer;
let tunnel: Tunnel;
let api: string;
let url: string;
let chrome: TestBrowser | null;
/** Bodies that the service got. */
const heard: string[] = [];

beforeAll(async () => {
  chrome = await startBrowser('the inspector in Chromium');
  if (chrome === null) return;
  platform = await Platform.start();
  service = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.once('end', () => {
      heard.push(body);
      const status = request.url?.startsWith('/broken') === true ? 500 : 200;
      response.writeHead(status, { 'content-type': 'application/json', 'x-served-by': 'the test' });
      response.end(JSON.stringify({ path: request.url, heard: body, list: [1, 2.5, null, true], nested: { a: 'b' } }));
    });
  });
  sockets = new WebSocketServer({ server: service });
  sockets.on('connection', (socket) =>
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
  );
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  tunnel = Tunnel.beside(platform, [
    'http',
    String(portOf(service)),
    '--url=shop.postern.localhost',
    '--web-addr=127.0.0.1:0',
    '--log-format=logfmt',
  ]);
  const addr = await until(() => /"starting web service" obj=web addr=(\S+)/.exec(tunnel.stdout)?.[1] ?? null);
  api = `http://${addr}`;
  url = await until(() => /msg="started tunnel".* url=(\S+)/.exec(tunnel.stdout)?.[1] ?? null);
});
afterAll(async () => {
  if (chrome === null) return;
  await chrome.close();
  await tunnel.stop();
  for (const client of sockets.clients) client.terminate();
  service.closeAllConnections();
  await new Promise((resolve) => service.close(resolve));
  await platform.dispose();
});

/** Runs `use` on a page of the inspector; what the page logs as an error fails the test. */
async function onPage(use: (page: Page) => Promise<void>, options: BrowserContextOptions = {}): Promise<void> {
  if (chrome === null) return;
  await fetch(`${api}/api/requests/http`, { method: 'DELETE' });
  const context = await chrome.browser.newContext({ acceptDownloads: true, ...options });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: api });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  try {
    await page.goto(`${api}/`);
    await use(page);
    expect(errors).toEqual([]);
  } finally {
    await context.close();
  }
}

async function order(number: number, place = '/orders'): Promise<void> {
  await platform.visit(`${url}${place}?number=${number}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ order: number, note: `needle-${number}` }),
  });
}

/** What axe says is serious, or worse. */
async function seriousOf(page: Page): Promise<readonly string[]> {
  // Not as a script element: the pages' policy allows none but their own.
  await page.evaluate(axe.source);
  const found: { id: string; impact: string; html: string }[] = await page.evaluate(
    'axe.run().then(({ violations }) => violations.map(({ id, impact, nodes }) => ({ id, impact, html: nodes[0]?.html })))',
  );
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, html }) => `${id}: ${html}`);
}

async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === '') return;
  await mkdir(PICTURES, { recursive: true });
  await page.screenshot({ path: path.join(PICTURES, `${name}.png`) });
}

test('a request arrives, is opened, found by its body, edited and sent again, and taken along', async () => {
  await onPage(async (page) => {
    await page.getByText('No request has come yet').waitFor();
    await order(17);
    await order(18, '/broken');
    const rows = page.getByRole('list', { name: 'Requests, newest first' }).getByRole('link');
    await expect.poll(() => rows.count()).toBe(2);
    await page.getByRole('link', { name: '/broken' }).getByText('500').waitFor();

    await page.getByRole('searchbox').fill('NEEDLE-17');
    await expect.poll(() => rows.count()).toBe(1);
    await rows.first().click();
    await page.getByRole('heading', { name: 'POST /orders?number=17' }).waitFor();
    await page.getByRole('region', { name: 'Body of the request' }).getByText('"needle-17"').waitFor();
    await page.getByRole('table', { name: 'Query of the request' }).getByText('17').waitFor();
    await page.getByRole('tab', { name: 'Response' }).click();
    await page.getByRole('table', { name: 'Headers of the response' }).getByText('the test').waitFor();
    await page.getByRole('searchbox').fill('status:5xx');
    await expect.poll(() => rows.allTextContents()).toEqual([expect.stringContaining('/broken')]);
    await page.getByRole('searchbox').fill('');

    await page.getByRole('button', { name: 'Edit and replay' }).click();
    const dialog = page.getByRole('dialog', { name: 'Edit and replay' });
    await dialog.getByLabel('Path and query').fill('/edited?x=1');
    await dialog.getByLabel('Body', { exact: true }).fill('{"order":99}');
    await dialog.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('heading', { name: 'POST /edited?x=1 200' }).waitFor();
    expect(heard.at(-1)).toBe('{"order":99}');
    await page.getByText('replay of').waitFor();

    await page.getByRole('button', { name: 'Copy as curl' }).click();
    await page.getByText('Copied as a command of curl.').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toContain(`curl '${url}/edited?x=1'`);

    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Export HAR' }).click();
    const har: { log: { entries: { request: { url: string } }[] } } = JSON.parse(
      await readFile(await (await download).path(), 'utf8'),
    );
    expect(har.log.entries.map(({ request }) => request.url)).toEqual([
      `${url}/orders?number=17`,
      `${url}/broken?number=18`,
      `${url}/edited?x=1`,
    ]);
    await page.getByRole('button', { name: 'Clear requests' }).click();
    await page.getByText('No request has come yet').waitFor();
  });
});

test('frames of a WebSocket are followed while it is open', async () => {
  await onPage(async (page) => {
    const [host, port] = splitAddress(platform.runtime.https_addr);
    const { host: name } = new URL(url);
    const secured: ClientOptions & { servername: string } = {
      ca: platform.ca,
      servername: name,
      headers: { host: name },
      perMessageDeflate: false,
    };
    const socket = new WebSocket(`wss://${host}:${port}/live`, secured);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    await page.getByRole('link', { name: '/live' }).click();
    await page.getByRole('tab', { name: 'Frames (0)' }).waitFor();
    socket.send('good morning');
    const frames = page.getByRole('list', { name: 'Messages, newest first' });
    await frames.getByText('↓ service · text').waitFor();
    await expect.poll(() => frames.getByText('good morning').count()).toBe(2);
    socket.send(Buffer.from([1, 2, 3]));
    await frames.getByText('01 02 03').first().waitFor();
    await page.getByRole('tab', { name: 'Frames (4)' }).waitFor();
    socket.close(1000, 'enough');
    await frames.getByText('1000 enough').first().waitFor();
  });
});

test('by keyboard alone: search, open, read, edit, replay, go back', async () => {
  await onPage(async (page) => {
    for (const number of [1, 2, 3]) await order(number);
    const rows = page.getByRole('list', { name: 'Requests, newest first' }).getByRole('link');
    await expect.poll(() => rows.count()).toBe(3);
    const { keyboard } = page;
    await keyboard.press('/');
    await keyboard.type('needle-2');
    await expect.poll(() => rows.count()).toBe(1);
    await keyboard.press('Escape');
    await expect.poll(() => rows.count()).toBe(3);
    await keyboard.press('Enter');
    await keyboard.press('ArrowDown');
    await page.getByRole('heading', { name: 'number=2' }).waitFor();
    await keyboard.press('j');
    await page.getByRole('heading', { name: 'number=1' }).waitFor();
    await keyboard.press('e');
    const dialog = page.getByRole('dialog', { name: 'Edit and replay' });
    await dialog.waitFor();
    await dialog.getByLabel('Method').waitFor();
    // Close, then the first field.
    await keyboard.press('Tab');
    await keyboard.press('ControlOrMeta+a');
    await keyboard.type('PUT');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'PUT /orders?number=1' }).waitFor();
    await keyboard.press('r');
    await expect.poll(() => rows.count()).toBe(5);
    await keyboard.press('Escape');
    await page.getByText('Choose a request').waitFor();
    await keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys and filters' }).waitFor();
    await keyboard.press('Escape');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
  });
});

test.each([
  ['light', 1100],
  ['dark', 1100],
  ['light', 400],
  ['dark', 400],
] as const)('axe finds nothing serious: %s, %i wide', async (colorScheme, width) => {
  await onPage(
    async (page) => {
      const suffix = `${colorScheme}-${width > 800 ? 'wide' : 'narrow'}`;
      await page.getByText('No request has come yet').waitFor();
      expect(await seriousOf(page)).toEqual([]);
      for (const number of [101, 102, 103]) await order(number);
      await order(104, '/broken/cart');
      await platform.visit(`${url}/products/7`);
      const rows = page.getByRole('list', { name: 'Requests, newest first' }).getByRole('link');
      await expect.poll(() => rows.count()).toBe(5);
      expect(await seriousOf(page)).toEqual([]);
      if (suffix === 'light-narrow') await picture(page, `inspector-${suffix}`);
      await page.getByRole('link', { name: 'number=102' }).click();
      await page.getByRole('region', { name: 'Body of the request' }).waitFor();
      expect(await seriousOf(page)).toEqual([]);
      if (suffix === 'light-wide' || suffix === 'dark-narrow') await picture(page, `inspector-${suffix}`);
      for (const tab of ['Response', 'Timing', 'Raw']) {
        await page.getByRole('tab', { name: tab }).click();
        expect(await seriousOf(page)).toEqual([]);
      }
      await page.getByRole('button', { name: 'Edit and replay' }).click();
      await page.getByRole('dialog').waitFor();
      expect(await seriousOf(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await page.getByRole('link', { name: 'Status' }).click();
      await page.getByRole('region', { name: 'HTTP requests' }).waitFor();
      expect(await seriousOf(page)).toEqual([]);
      if (suffix === 'dark-wide') await picture(page, 'inspector-status');
      // Nothing makes the page itself scroll sideways.
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    },
    { colorScheme, viewport: { width, height: 640 } },
  );
});
