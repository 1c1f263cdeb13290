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

function say(line: string): void {
  writeSync(1, `${line}\n`);
}
