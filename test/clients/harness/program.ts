/**
 * A client under test: a program in its own language that reads one JSON object a line on stdin and answers one a line on
 * stdout. `README.md` beside this folder has the contract.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import readline from 'node:readline';

export interface Command {
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

// Each language answers what it can; what a duty expects of it is what the duty asserts.
// oxlint-disable-next-line typescript/no-explicit-any
export type Fields = Readonly<Record<string, any>>;

/** What a client reports as an error: `code` is what its own means of telling codes apart give, '' without one. */
export class ClientError extends Error {
  readonly code: string;
  /** All that it reports. */
  readonly said: Fields;
  constructor(op: string, said: Fields) {
    super(`${op}: ${said['message']}`);
    this.code = said['code'] ?? '';
    this.said = said;
  }
}

interface Waiting {
  readonly op: string;
  resolve(fields: Fields): void;
  reject(error: Error): void;
}

/** An answer may take so long, beyond what it was asked to take. */
export const ANSWER_MS = 90_000;
const KEPT_OUTPUT = 20_000;

export class Program {
  readonly events: Fields[] = [];
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #stderr = '';
  #ended = false;

  constructor({ command, args = [], cwd, env = {} }: Command) {
    this.#child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    const { stdin, stdout, stderr } = this.#child;
    if (stdin === null || stdout === null || stderr === null) throw new Error('a child without pipes');
    stderr.on('data', (chunk: Buffer) => (this.#stderr = (this.#stderr + chunk.toString()).slice(-KEPT_OUTPUT)));
    stdin.on('error', () => undefined);
    readline.createInterface({ input: stdout }).on('line', (line) => this.#take(line));
    this.#child.once('error', (error) => this.#end(error.message));
    this.#child.once('close', (code, signal) => this.#end(`it ended with ${code ?? signal}`));
  }

  /** What it wrote on stderr, the last of it. */
  get stderr(): string {
    return this.#stderr;
  }

  /** @throws ClientError where the client reports one */
  call(op: string, fields: Fields = {}, milliseconds = ANSWER_MS): Promise<Fields> {
    if (this.#ended) return Promise.reject(new Error(`${op}: the client has ended\n${this.#stderr}`));
    const id = (this.#asked += 1);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`${op}: no answer within ${milliseconds} ms\n${this.#stderr}`));
      }, milliseconds);
      this.#waiting.set(id, {
        op,
        resolve: (answer) => {
          clearTimeout(late);
          resolve(answer);
        },
        reject: (error) => {
          clearTimeout(late);
          reject(error);
        },
      });
      this.#child.stdin?.write(`${JSON.stringify({ id, op, ...fields })}\n`);
    });
  }

  /** Events of this kind since the start, or since `from` of them. */
  eventsOf(kind: string, session?: string): readonly Fields[] {
    return this.events.filter(
      (event) => event['event'] === kind && (session === undefined || event['session'] === session),
    );
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  #take(line: string): void {
    let said: Fields;
    try {
      said = JSON.parse(line);
    } catch {
      // Libraries print things of their own, too.
      this.#stderr = `${this.#stderr}${line}\n`.slice(-KEPT_OUTPUT);
      return;
    }
    if (typeof said['event'] === 'string') {
      this.events.push(said);
      return;
    }
    const waiting = this.#waiting.get(said['id']);
    this.#waiting.delete(said['id']);
    if (said['error'] === undefined) waiting?.resolve(said['ok'] ?? {});
    else if (waiting !== undefined) waiting.reject(new ClientError(waiting.op, said['error']));
  }

  #end(why: string): void {
    this.#ended = true;
    for (const waiting of this.#waiting.values()) waiting.reject(new Error(`${why}\n${this.#stderr}`));
    this.#waiting.clear();
  }
}
