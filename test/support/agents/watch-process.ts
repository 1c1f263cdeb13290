import type { ChildProcess } from 'node:child_process';
import { AgentFailed, type Ended, type RunningAgent } from './agent.ts';

/** Waits until `count` URLs were printed, found by `pattern` (global, the URL as its first group). */
export async function watchProcess(child: ChildProcess, pattern: RegExp, count: number): Promise<RunningAgent> {
  let output = '';
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, output }));
  });
  const urls = await new Promise<string[]>((resolve, reject) => {
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-200_000);
      const found = [...output.matchAll(pattern)].map((match) => match[1] ?? '');
      if (found.length >= count) resolve(found);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    void ended.then((end) => reject(new AgentFailed(end)));
  });
  return { urls, ended, kill: (signal) => void child.kill(signal) };
}
