/**
 * Loaded into a process of the platform (`--import`): at each SIGUSR2 it writes what the process has allocated since it
 * started to watch, as JSON (`Allocated`), into a file of its process id in the folder that its own URL names.
 *
 * V8 has no count of allocated bytes; it says before and after each collection how much is used, and what is used more
 * before one than after the one before it has been allocated in between.
 */
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { GCProfiler, getHeapStatistics } from 'node:v8';
import { isMainThread } from 'node:worker_threads';

export interface Allocated {
  /** How often it was asked. */
  readonly asked: number;
  readonly heapBytes: number;
  /** Memory of buffers, beside the heap. */
  readonly externalBytes: number;
  readonly collections: number;
}

interface Used {
  readonly heap: number;
  readonly external: number;
}

const folder = new URL(import.meta.url).searchParams.get('folder') ?? '';

if (isMainThread) {
  let asked = 0;
  let heapBytes = 0;
  let externalBytes = 0;
  let collections = 0;
  let last = usedNow();
  let profiler = new GCProfiler();
  profiler.start();
  process.on('SIGUSR2', () => {
    // What the profiler has seen comes out only when it stops.
    const { statistics } = profiler.stop();
    for (const { beforeGC, afterGC } of statistics) {
      add(usedOf(beforeGC.heapStatistics));
      last = usedOf(afterGC.heapStatistics);
    }
    add(usedNow());
    last = usedNow();
    collections += statistics.length;
    asked += 1;
    const file = path.join(folder, String(process.pid));
    const told: Allocated = { asked, heapBytes, externalBytes, collections };
    writeFileSync(`${file}.new`, JSON.stringify(told));
    renameSync(`${file}.new`, file);
    profiler = new GCProfiler();
    profiler.start();
  });

  function add(used: Used): void {
    heapBytes += Math.max(0, used.heap - last.heap);
    externalBytes += Math.max(0, used.external - last.external);
  }
}

function usedOf({ usedHeapSize, externalMemory }: { usedHeapSize: number; externalMemory: number }): Used {
  return { heap: usedHeapSize, external: externalMemory };
}

function usedNow(): Used {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return { heap, external };
}
