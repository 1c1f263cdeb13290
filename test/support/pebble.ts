/**
 * Pebble, the certificate authority that Let's Encrypt tests clients with, and its DNS server: as they are on the PATH
 * (Debian: pebble, from 2.5 on), else built once by Go, outside of this repository. Neither: what needs them is skipped,
 * with the reason.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { selfSigned } from './certificates.ts';
import { freePort } from '@postern/edge/testing/free-port';
import { requireJudge } from './judge.ts';
import { until } from './until.ts';

const VERSION = 'v2.10.3';
const MODULE = 'github.com/letsencrypt/pebble/v2';
const run = promisify(execFile);

interface Programs {
  readonly pebble: string;
  readonly dns: string;
}

/** null = there are none here, which was said. */
export async function findPebble(): Promise<Programs | null> {
  const onPath = await Promise.all(['pebble', 'pebble-challtestsrv'].map(located));
  const [pebble, dns] = onPath;
  if (typeof pebble === 'string' && typeof dns === 'string' && (await isRecent(dns))) return { pebble, dns };
  const go = (await located('go')) ?? (await there('/usr/local/go/bin/go'));
  if (go === null) {
    console.warn('skipped: pebble: neither a pebble that knows profiles nor Go is on this machine');
    return null;
  }
  const folder = path.join(process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), 'postern-judges', VERSION);
  const built = { pebble: path.join(folder, 'pebble'), dns: path.join(folder, 'pebble-challtestsrv') };
  if ((await there(built.pebble)) !== null && (await there(built.dns)) !== null) return built;
  try {
    await mkdir(folder, { recursive: true });
    const programs = ['pebble', 'pebble-challtestsrv'].map((name) => `${MODULE}/cmd/${name}@${VERSION}`);
    await run(go, ['install', ...programs], { env: { ...process.env, GOBIN: folder }, timeout: 600_000 });
    return built;
  } catch (error) {
    requireJudge('pebble', `Go is here and could not build it: ${String(error).slice(0, 500)}`);
    return null;
  }
}

export interface PebbleOptions {
  /** Where it comes to look: ports of the server under test. */
  readonly httpPort: number;
  readonly tlsPort: number;
  /** Of accounts: key id to key (base64url). */
  readonly external?: Readonly<Record<string, string>>;
  /** Port of the resolver that it asks; its own DNS server by default. */
  readonly resolver?: (dns: number) => Promise<number>;
  /** Seconds; Pebble's own is 90 days. */
  readonly validity?: number;
  /** Of the responder of OCSP that certificates name. */
  readonly ocsp?: string;
  /** Further profiles: name to seconds of validity. */
  readonly profiles?: Readonly<Record<string, number>>;
  /** Of its own listener, for authorities that share one root; one of its own by default. */
  readonly listener?: { readonly cert: Buffer; readonly key: Buffer };
  /** Chains that it offers beside its first. */
  readonly alternateRoots?: number;
}

export class Pebble {
  readonly directory: string;
  /** host:port of its DNS server. */
  readonly dns: string;
  /** File with the certificate of its own listener. */
  readonly rootFile: string;
  /** PEM of what it signs with. */
  readonly root: string;
  readonly #folder: string;
  readonly #children: readonly ChildProcess[];
  readonly #dnsManagement: string;
  readonly #management: string;
  readonly #listener: string;

  private constructor(parts: {
    folder: string;
    children: readonly ChildProcess[];
    directory: string;
    dns: string;
    dnsManagement: string;
    management: string;
    listener: string;
    root: string;
  }) {
    this.#folder = parts.folder;
    this.#children = parts.children;
    this.#dnsManagement = parts.dnsManagement;
    this.#management = parts.management;
    this.#listener = parts.listener;
    this.directory = parts.directory;
    this.dns = parts.dns;
    this.rootFile = path.join(parts.folder, 'listener.pem');
    this.root = parts.root;
  }

  static async start(programs: Programs, options: PebbleOptions): Promise<Pebble> {
    const folder = await mkdtemp(path.join(tmpdir(), 'postern-pebble-'));
    const [port, management, dns, dnsManagement] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    const { cert, key } = options.listener ?? (await selfSigned('localhost', 30));
    await writeFile(path.join(folder, 'listener.pem'), cert);
    await writeFile(path.join(folder, 'listener.key'), key);
    const config = {
      pebble: {
        listenAddress: `127.0.0.1:${port}`,
        managementListenAddress: `127.0.0.1:${management}`,
        certificate: path.join(folder, 'listener.pem'),
        privateKey: path.join(folder, 'listener.key'),
        httpPort: options.httpPort,
        tlsPort: options.tlsPort,
        externalAccountBindingRequired: options.external !== undefined,
        externalAccountMACKeys: options.external ?? {},
        retryAfter: { authz: 1, order: 1 },
        ocspResponderURL: options.ocsp ?? '',
        profiles: Object.fromEntries(
          Object.entries({ default: options.validity ?? 7_776_000, ...options.profiles }).map(([name, seconds]) => [
            name,
            { description: name, validityPeriod: seconds },
          ]),
        ),
      },
    };
    await writeFile(path.join(folder, 'config.json'), JSON.stringify(config));
    const dnsFlags = ['http01', 'https01', 'tlsalpn01', 'doh', 'defaultIPv4', 'defaultIPv6'].map((flag) => `-${flag}=`);
    const resolver = (await options.resolver?.(dns)) ?? dns;
    const children = [
      child(programs.dns, [...dnsFlags, `-dnsserver=127.0.0.1:${dns}`, `-management=127.0.0.1:${dnsManagement}`]),
      child(programs.pebble, ['-config', path.join(folder, 'config.json'), '-dnsserver', `127.0.0.1:${resolver}`], {
        PEBBLE_ALTERNATE_ROOTS: String(options.alternateRoots ?? 0),
      }),
    ];
    const managed = `https://localhost:${management}`;
    const root = await until(() => ask(`${managed}/roots/0`, cert.toString()).catch(() => null));
    await until(() => post(`http://127.0.0.1:${dnsManagement}/clear-txt`, { host: 'none.' }).catch(() => null));
    return new Pebble({
      folder,
      children,
      directory: `https://localhost:${port}/dir`,
      dns: `127.0.0.1:${resolver}`,
      dnsManagement: `http://127.0.0.1:${dnsManagement}`,
      management: managed,
      listener: cert.toString(),
      root,
    });
  }

  /** Flags that make a server order here. */
  get flags(): readonly string[] {
    return this.flagsBy(this.directory);
  }

  /** The same by way of another directory, which has the certificate of this one's listener. */
  flagsBy(directory: string): readonly string[] {
    return [
      '--acme-email=me@example.com',
      '--acme-agree-terms',
      `--acme-directory=${directory}`,
      `--acme-ca-root=${this.rootFile}`,
      `--acme-resolver=${this.dns}`,
    ];
  }

  /** Names that lead to this machine from now on. */
  async point(...names: readonly string[]): Promise<void> {
    for (const host of names) await post(`${this.#dnsManagement}/add-a`, { host, addresses: ['127.0.0.1'] });
  }

  async setDns(what: string, body: object): Promise<void> {
    await post(`${this.#dnsManagement}/${what}`, body);
  }

  /** Where records of its DNS server are set. */
  get dnsManagement(): string {
    return this.#dnsManagement;
  }

  /** PEM of what the chain of that number leads to; the first is {@link root}. */
  rootOf(chain: number): Promise<string> {
    return this.manage(`/roots/${chain}`);
  }

  /** What it says from now on of when to renew a certificate (RFC 9773). */
  async setRenewalInfo(certificate: string, window: { readonly start: Date; readonly end: Date }): Promise<void> {
    const body = { Certificate: certificate, ARIResponse: JSON.stringify({ suggestedWindow: window }) };
    await ask(`${this.#management}/set-renewal-info/`, this.#listener, JSON.stringify(body));
  }

  manage(pathName: string): Promise<string> {
    return ask(`${this.#management}${pathName}`, this.#listener);
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#children.map(async (one) => {
        const ended = new Promise((resolve) => one.once('exit', resolve));
        if (one.exitCode !== null || one.signalCode !== null) return;
        one.kill('SIGKILL');
        await ended;
      }),
    );
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function child(program: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): ChildProcess {
  const env = {
    ...process.env,
    ...more,
    PEBBLE_VA_NOSLEEP: '1',
    PEBBLE_VA_ALWAYS_VALID: '0',
    PEBBLE_WFE_NONCEREJECT: '5',
    PEBBLE_AUTHZREUSE: '0',
  };
  return spawn(program, args, { stdio: 'ignore', env });
}

async function located(name: string): Promise<string | null> {
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    const found = folder === '' ? null : await there(path.join(folder, name));
    if (found !== null) return found;
  }
  return null;
}

/** Older ones have neither profiles nor renewal information, and call their flags otherwise. */
async function isRecent(dns: string): Promise<boolean> {
  const help = await run(dns, ['-h']).catch((error: { stderr?: string }) => ({ stderr: error.stderr ?? '' }));
  return help.stderr.includes('-dnsserver ');
}

async function there(file: string): Promise<string | null> {
  return access(file).then(
    () => file,
    () => null,
  );
}

/** @param body is posted; absent = get */
function ask(url: string, ca: string, body?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'user-agent': 'postern-tests' };
    const method = body === undefined ? 'GET' : 'POST';
    const request = https.request(url, { ca, agent: false, method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))));
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function post(url: string, body: object): Promise<string> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  return response.text();
}
