/**
 * A real Chromium for tests of pages: the machine's own, else the one that `@sparticuz/chromium` carries (Linux on x64).
 * Where neither runs, the tests are skipped by name.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { requireJudge } from './judge.ts';

/** Tests run as root, too, where there is no sandbox; and without a display. */
const ARGS = ['--no-sandbox', '--headless', '--disable-gpu', '--no-zygote'];
const OWN = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export interface TestBrowser {
  readonly browser: Browser;
  close(): Promise<void>;
}

/** null where the machine has none, after saying so. @param more flags of Chromium */
export async function startBrowser(name: string, more: readonly string[] = []): Promise<TestBrowser | null> {
  const folder = await mkdtemp(path.join(tmpdir(), 'postern-browser-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const { executablePath, args } = await executable(folder);
    const browser = await chromium.launch({
      executablePath,
      args: [...args, ...more],
      headless: true,
      // Longer than the half minute that it has by default: machines that run tests are busy.
      timeout: 100_000,
      env: { ...definedEnvironment(), HOME: folder, TMPDIR: folder },
    });
    return {
      browser,
      close: async () => {
        await browser.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    requireJudge(
      name,
      `no Chromium runs here: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
    );
    return null;
  }
}

async function executable(folder: string): Promise<{ readonly executablePath: string; readonly args: string[] }> {
  const own = OWN.find((file) => existsSync(file));
  if (own !== undefined) return { executablePath: own, args: ARGS };
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('none is installed');
  const before = process.env['TMPDIR'];
  // It unpacks itself into the folder for temporary files.
  process.env['TMPDIR'] = folder;
  try {
    const { default: carried } = await import('@sparticuz/chromium');
    return { executablePath: await carried.executablePath(), args: ARGS };
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
}

function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
