/**
 * Creates of cloud endpoints per second by so many callers at once, beside the same store asked directly: how well claims
 * share the disk's syncs. Usage: node scripts/node24.mjs bench/claims.ts
 */
import process from 'node:process';
import { openPlatformless } from './parts/control-alone.ts';

const WRITERS = [1, 16, 256] as const;
const SECONDS = 2;

/** Calls per second, by `writers` that each make the next call when the last has ended. */
async function rate(writers: number, call: (n: number) => Promise<unknown>): Promise<number> {
  let made = 0;
  const until = performance.now() + SECONDS * 1_000;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: writers }, async () => {
      while (performance.now() < until) {
        // Each writer waits for its own.
        // oxlint-disable-next-line no-await-in-loop
        await call((made += 1));
      }
    }),
  );
  return made / ((performance.now() - started) / 1_000);
}

const platform = await openPlatformless();
const { control, store, accountId, caller } = platform;
process.stdout.write('callers   endpoints created/s   rows written/s   ratio\n');
let names = 0;
for (const writers of WRITERS) {
  // oxlint-disable-next-line no-await-in-loop
  const rows = await rate(writers, (n) =>
    store.commit([
      store.botUsers.insert({
        id: `bot_${writers}_${n}`,
        accountId,
        createdAt: '2026-01-01T00:00:00Z',
        name: `b${n}`,
        active: true,
      }),
    ]),
  );
  // oxlint-disable-next-line no-await-in-loop
  const claims = await rate(writers, () =>
    control.api.endpoints.create(caller, {
      url: `https://h${(names += 1)}.example.test`,
      trafficPolicy: '{"on_http_request":[{"actions":[{"type":"deny"}]}]}',
    }),
  );
  const line = [String(writers).padStart(7), claims.toFixed(0).padStart(19), rows.toFixed(0).padStart(16)];
  process.stdout.write(`${line.join(' ')} ${(claims / rows).toFixed(2).padStart(7)}\n`);
}
await platform.close();
