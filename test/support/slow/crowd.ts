/** Orders slow clients about that live in a child process, so that their work does not disturb who measures. */
import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SlowKind } from './clients.ts';

export interface Order {
  readonly number: number;
  /** Opened before the answer; absent = only the counts are asked for. */
  readonly open?: SlowKind;
}

export interface Answer {
  readonly number: number;
  /** Those that the server has not ended. */
  readonly alive: number;
  readonly counts: Readonly<Record<string, KindCounts>>;
}

export interface KindCounts {
  readonly alive: number;
  /** Ended before they got as far as their script. */
  readonly failed: number;
}

export class SlowCrowd {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  #number = 0;

  /** @param localAddress they all come from */
  constructor(localAddress: string) {
    const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'child.ts');
    this.#child = fork(script, {
      serialization: 'advanced',
      execArgv: [],
      env: { ...process.env, SLOW_ADDRESS: localAddress },
    });
    this.#child.on('message', (answer: Answer) => {
      this.#waiting.get(answer.number)?.resolve(answer);
      this.#waiting.delete(answer.number);
    });
    this.#child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the slow clients are gone'));
    });
  }

  open(kind: SlowKind): Promise<Answer> {
    return this.#order(kind);
  }

  count(): Promise<Answer> {
    return this.#order();
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }

  #order(open?: SlowKind): Promise<Answer> {
    const number = (this.#number += 1);
    const answer = Promise.withResolvers<Answer>();
    this.#waiting.set(number, answer);
    this.#child.send(open === undefined ? { number } : { number, open });
    return answer.promise;
  }
}
