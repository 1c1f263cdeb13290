import type { Platform } from './platform.ts';

/** One number of the server's /metrics; NaN when it is not there. */
export async function metric(platform: Platform, name: string): Promise<number> {
  const { metrics_url: url } = platform.runtime;
  const text = await (await fetch(new URL('/metrics', url))).text();
  const value = text
    .split('\n')
    .find((line) => line.startsWith(`${name} `))
    ?.slice(name.length + 1);
  return value === undefined ? Number.NaN : Number(value);
}
