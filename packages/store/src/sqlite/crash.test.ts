import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openTestStore, temporaryDirectory } from '../testing/directory.ts';
import { expectLogToMatchRows } from '../testing/replay.ts';

/** `POSTERN_CRASH_ROUNDS=50` for more. */
const ROUNDS = Number(process.env['POSTERN_CRASH_ROUNDS'] ?? 3);
const CHILD = fileURLToPath(new URL('../testing/crash-child.ts', import.meta.url));

interface Ledger {
  readonly inserted: Set<number>;
  readonly deleting: Set<number>;
  readonly deleted: Set<number>;
}

describe('kill -9 under a stream of writes', () => {
  test(
    `loses nothing, halves nothing and brings nothing back (${ROUNDS} rounds)`,
    async () => {
      const directory = temporaryDirectory();
      const ledger: Ledger = { inserted: new Set(), deleting: new Set(), deleted: new Set() };
      let acknowledged = 0;
      for (let round = 0; round < ROUNDS; round++) {
        // Spread over the first writes, the middle of a group and the time after a checkpoint.
        acknowledged += await runUntilKilled(directory, round * 1_000_000, 1 + ((round * 397) % 1500), ledger);
        await expectWhole(directory, ledger);
      }
      expect(acknowledged).toBeGreaterThanOrEqual(ROUNDS);
    },
    120_000 + ROUNDS * 10_000,
  );
});

/** Kills the child after `lines` acknowledgements; returns how many there were in the end. */
async function runUntilKilled(directory: string, first: number, lines: number, ledger: Ledger): Promise<number> {
  const child = spawn(process.execPath, [CHILD, directory, String(first)], { stdio: ['ignore', 'pipe', 'pipe'] });
  let acknowledged = 0;
  let rest = '';
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const complete = (rest + text).split('\n');
    rest = complete.pop() ?? '';
    for (const line of complete) acknowledged += note(line, ledger);
    if (acknowledged >= lines) child.kill('SIGKILL');
  });
  await once(child, 'close');
  expect(child.signalCode, complaints).toBe('SIGKILL');
  return acknowledged;
}

function note(line: string, ledger: Ledger): number {
  const [what, number] = line.split(' ');
  const n = Number(number);
  if (what === 'insert') ledger.inserted.add(n);
  else if (what === 'deleting') ledger.deleting.add(n);
  else if (what === 'delete') ledger.deleted.add(n);
  return what === 'insert' || what === 'delete' ? 1 : 0;
}

async function expectWhole(directory: string, ledger: Ledger): Promise<void> {
  const store = await openTestStore(directory, { keepChanges: 10_000_000 });
  const halves = new Map<number, number>();
  for (const { id } of await store.all('reservedDomains')) {
    const n = Number(id.split('_')[1]);
    halves.set(n, (halves.get(n) ?? 0) + 1);
  }
  const lost = [...ledger.inserted].filter((n) => !ledger.deleting.has(n) && !halves.has(n));
  const back = [...ledger.deleted].filter((n) => halves.has(n));
  const halved = [...halves].filter(([, count]) => count !== 2);
  expect({ lost, back, halved }).toEqual({ lost: [], back: [], halved: [] });
  await expectLogToMatchRows(store);
  await store.close();
}
