/**
 * A process that writes until it is killed, and says on standard output what was acknowledged, each line at once:
 * `insert N` and `delete N` after the store's word; `deleting N` before asking. Batch N is two rows of one commit.
 * Arguments: data directory, first N.
 */
import { writeSync } from 'node:fs';
import { domainRow } from '../contract/rows.ts';
import { openStore } from '../sqlite/store.ts';
import { TEST_KEY } from './key.ts';

const WRITERS = 8;

const [directory = '', first = '0'] = process.argv.slice(2);
const store = await openStore({ directory, encryptionKey: TEST_KEY, keepChanges: 10_000_000 });
let next = Number(first);
say('ready');

await Promise.all(
  Array.from({ length: WRITERS }, async () => {
    for (;;) {
      const n = next++;
      await store.commit(
        ['a', 'b'].map((half) => store.reservedDomains.insert(domainRow(`rd_${n}_${half}`, `${half}.d${n}.example`))),
      );
      say(`insert ${n}`);
      if (n % 3 !== 0) continue;
      say(`deleting ${n}`);
      await store.commit(['a', 'b'].map((half) => store.reservedDomains.delete(`rd_${n}_${half}`)));
      say(`delete ${n}`);
    }
  }),
);

/** The pipe does not block: when its reader is late, the rest of the line waits for it a millisecond at a time. */
function say(line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
