/**
 * The real platform for tests: `postern server` as a child process in a folder of its own, on free ports, with the
 * clients that tests need. Nothing here reaches into the server; it is used as a user would use it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@postern/edge/testing/free-port';

export const repositoryRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
/** Where a tree's command begins. */
export const mainOf = (root: string): string => path.join(root, 'packages', 'cli', 'src', 'main.ts');
const READY_MS = 60_000;
/** `POSTERN_TEST_WORKERS=2`: every test with so many processes that serve. */
const workers = process.env['POSTERN_TEST_WORKERS'];
/** What only one process that serves promises (docs/decisions/0023-workers.md, "Each worker's own"). */
export const SERVES_ALONE = Number(workers ?? 0) < 2;

export interface Runtime {
  readonly pid: number;
  readonly api_url: string;
  readonly http_addr: string;
  readonly https_addr: string;
  readonly agent_addr: string;
  readonly metrics_url: string;
  readonly tcp_ports: string;
  readonly base_domains: readonly string[];
  readonly ca_path: string;
  readonly api_key_path: string;
  readonly authtoken_path: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  // Tests read bodies freely; what they expect of them is what they assert.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
  readonly text: string;
}

export interface PlatformOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly dataDir?: string;
  /** Visible ports for URLs; default 80 and 443, so that public URLs have no port. */
  readonly publicPorts?: 'standard' | 'listeners';
  /** Of another tree than this one; with the flags that all of them know. */
  readonly root?: string;
  /** Another command than a tree's: that of an installed package. */
  readonly main?: string;
  /** Where it listens, on ports that nobody else comes by before it is started anew (`sameAddresses`); see {@link keepable}. */
  readonly listen?: readonly string[];
  /** A program with arguments that becomes the server in the end (exec): for namespaces, limits, other libraries. */
  readonly launcher?: readonly string[];
  /** Where this process sees the server's files, when that is not where the server sees them. */
  readonly filesOf?: (pid: number) => string;
}

/** Flags that put every listener on a port that the system gives. */
export const FREE_PORTS = [
  '--api-listen=127.0.0.1:0',
  '--http-listen=127.0.0.1:0',
  '--https-listen=127.0.0.1:0',
  '--agent-listen=127.0.0.1:0',
  '--metrics-listen=127.0.0.1:0',
  '--tcp-listen=127.0.0.1:0',
];

/** These flags with ports of our own where the system would give any. TCP endpoints have a range, which is not from there. */
function keepable(flags: readonly string[]): Promise<string[]> {
  const own = flags.map(async (flag) =>
    /^--(?!tcp-)\w+-listen=127\.0\.0\.1:0$/.test(flag) ? flag.replace(/0$/, String(await freePort())) : flag,
  );
  return Promise.all(own);
}

/** Visitors come to these ports, which its URLs have, too; everything else is on a free port. */
export function visitorsAt(ports: { readonly http: number; readonly https: number }): PlatformOptions {
  const taken = [`--http-listen=127.0.0.1:${ports.http}`, `--https-listen=127.0.0.1:${ports.https}`];
  const free = FREE_PORTS.filter((flag) => !/^--https?-listen=/.test(flag));
  const listen = [...taken, ...free];
  return { publicPorts: 'listeners', listen };
}

export class Platform {
  readonly dataDir: string;
  readonly runtime: Runtime;
  readonly ca: string;
  readonly apiKey: string;
  readonly authtoken: string;
  readonly process: ChildProcess;
  readonly #output: () => string;
  #ownsDataDir: boolean;

  private constructor(parts: {
    dataDir: string;
    runtime: Runtime;
    ca: string;
    apiKey: string;
    authtoken: string;
    process: ChildProcess;
    output: () => string;
    ownsDataDir: boolean;
  }) {
    this.dataDir = parts.dataDir;
    this.runtime = parts.runtime;
    this.ca = parts.ca;
    this.apiKey = parts.apiKey;
    this.authtoken = parts.authtoken;
    this.process = parts.process;
    this.#output = parts.output;
    this.#ownsDataDir = parts.ownsDataDir;
  }

  static async start(options: PlatformOptions = {}): Promise<Platform> {
    const ownsDataDir = options.dataDir === undefined;
    const dataDir = options.dataDir ?? (await mkdtemp(path.join(tmpdir(), 'postern-test-')));
    const ports =
      (options.publicPorts ?? 'standard') === 'standard' ? ['--public-http-port=80', '--public-https-port=443'] : [];
    const [program = '', ...args] = [
      ...(options.launcher ?? []),
      process.execPath,
      options.main ?? mainOf(options.root ?? repositoryRoot),
      'server',
      `--data-dir=${dataDir}`,
      ...(await keepable(options.listen ?? FREE_PORTS)),
      ...ports,
      // Tests use names of these domains, too, and verify their certificates.
      ...(options.root === undefined ? ['test', 'example.com', 'example'].map((name) => `--ca-domain=${name}`) : []),
      '--log-format=json',
      // Whom a busy machine lets wait is not refused.
      ...(options.root === undefined ? ['--arrival-timeout=0'] : []),
      ...(options.root === undefined && workers !== undefined ? [`--workers=${workers}`] : []),
      ...(options.args ?? []),
    ];
    const child = spawn(program, args, {
      cwd: dataDir,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, HOME: dataDir, XDG_CONFIG_HOME: dataDir, ...options.env },
    });
    const seen = (file: string): string => path.join(options.filesOf?.(child.pid ?? 0) ?? '/', file);
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-100_000);
    };
    // All that it printed is here.
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    try {
      const runtime = await waitForRuntime(seen(dataDir), child, async () => {
        if (hasEnded(child)) await closed;
        return output;
      });
      const [ca, apiKey, authtoken] = await Promise.all(
        [runtime.ca_path, runtime.api_key_path, runtime.authtoken_path].map((file) =>
          // A lost file is not made again: '' then.
          readFile(seen(file), 'utf8').catch(() => ''),
        ),
      );
      return new Platform({
        dataDir,
        runtime,
        ca: ca ?? '',
        apiKey: (apiKey ?? '').trim(),
        authtoken: (authtoken ?? '').trim(),
        process: child,
        output: () => output,
        ownsDataDir,
      });
    } catch (error) {
      child.kill('SIGKILL');
      if (ownsDataDir) await rm(dataDir, { recursive: true, force: true });
      throw error;
    }
  }

  /** What the server printed, for messages of failed tests. */
  get output(): string {
    return this.#output();
  }

  get baseDomain(): string {
    return this.runtime.base_domains[0] ?? '';
  }

  /** Flags for another server at the very same addresses. */
  get sameAddresses(): readonly string[] {
    const { api_url, http_addr, https_addr, agent_addr, metrics_url, tcp_ports } = this.runtime;
    return [
      `--api-listen=${new URL(api_url).host}`,
      `--http-listen=${http_addr}`,
      `--https-listen=${https_addr}`,
      `--agent-listen=${agent_addr}`,
      `--metrics-listen=${new URL(metrics_url).host}`,
      `--tcp-listen=127.0.0.1:${tcp_ports}`,
    ];
  }

  /** A call of the REST API with the documented headers. */
  async api(method: string, route: string, body?: unknown, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    const response = await fetch(route.startsWith('http') ? route : `${this.runtime.api_url}${route}`, {
      method,
      headers: {
        authorization: `Bearer ${this.apiKey}`,
        'ngrok-version': '2',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: text === '' ? null : JSON.parse(text) };
  }

  /** A visitor's request to a public URL, sent to this platform's listeners whatever the name resolves to. */
  visit(url: string, options: VisitOptions = {}): Promise<Visit> {
    return visit(this, url, options);
  }

  /** Sends a signal and waits for the end; answers exit code and signal. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    const child = this.process;
    if (hasEnded(child)) return { code: child.exitCode, signal: child.signalCode };
    const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
      child.once('exit', (code, endSignal) => resolve({ code, signal: endSignal }));
    });
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), 40_000);
    const result = await ended;
    clearTimeout(late);
    return result;
  }

  /**
   * Ends it with `signal` and starts another on the same data, which owns that data from now on. The ports are others
   * unless `options.args` names them.
   */
  async restart(signal: NodeJS.Signals, options: Omit<PlatformOptions, 'dataDir'> = {}): Promise<Platform> {
    await this.stop(signal);
    const next = await Platform.start({ ...options, dataDir: this.dataDir });
    next.#ownsDataDir = this.#ownsDataDir;
    this.#ownsDataDir = false;
    return next;
  }

  /** Stops and removes everything. */
  async dispose(): Promise<void> {
    await this.stop();
    // Workers of one that was killed may write while it goes.
    if (this.#ownsDataDir) await rm(this.dataDir, { recursive: true, force: true, maxRetries: 20 });
  }
}

export interface VisitOptions {
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  readonly agent?: http.Agent | https.Agent | false;
}

export interface Visit {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  readonly bytes: Buffer;
}

function visit(platform: Platform, url: string, options: VisitOptions): Promise<Visit> {
  const target = new URL(url);
  const secure = target.protocol === 'https:';
  const [host, port] = splitAddress(secure ? platform.runtime.https_addr : platform.runtime.http_addr);
  return new Promise((resolve, reject) => {
    const request = (secure ? https : http).request(
      {
        host,
        port,
        path: `${target.pathname}${target.search}`,
        method: options.method ?? 'GET',
        headers: { host: target.host, ...options.headers },
        agent: options.agent ?? false,
        ...(secure ? { servername: target.hostname, ca: platform.ca } : {}),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text: bytes.toString(), bytes });
        });
      },
    );
    request.on('error', reject);
    request.end(options.body);
  });
}

export function splitAddress(address: string): [host: string, port: number] {
  const colon = address.lastIndexOf(':');
  return [address.slice(0, colon).replace(/^\[|\]$/g, ''), Number(address.slice(colon + 1))];
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

async function waitForRuntime(dataDir: string, child: ChildProcess, output: () => Promise<string>): Promise<Runtime> {
  const file = path.join(dataDir, 'runtime.json');
  for (let waited = 0; waited < READY_MS; waited += 25) {
    if (hasEnded(child)) {
      throw new Error(`postern server ended with code ${child.exitCode ?? child.signalCode}:\n${await output()}`);
    }
    try {
      const runtime: Runtime = JSON.parse(await readFile(file, 'utf8'));
      if (runtime.pid === child.pid) return runtime;
    } catch {
      // Not there yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`postern server was not ready after ${READY_MS} ms:\n${await output()}`);
}
