/**
 * What rules add to a request: cloud endpoints that answer by themselves, beside the same one without rules before it.
 * Usage: node scripts/node24.mjs bench/policies.ts [--rounds 5] [--seconds 2] [--only id,id] [--own-load] [--profile folder]
 */
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { portOf } from '../test/support/port-of.ts';
import { Platform, splitAddress } from '../test/support/platform.ts';
import { findCommand } from './children.ts';
import { measureRounds, median, type Sample } from './measure.ts';
import { readOptions } from './options.ts';
import { ratioOf } from './ratios.ts';
import { ratioLines, table } from './report.ts';
import { BROWSER, TEN_RULES } from './variants/rules.ts';
import type { Variant } from './variants/variant.ts';

interface Ruled {
  readonly id: string;
  readonly title: string;
  readonly rules: readonly object[];
  readonly headers?: readonly string[];
  /** Microseconds of CPU time that it may add; null = the bare path. */
  readonly aim: number | null;
}

const ANSWER = { actions: [{ type: 'custom-response', config: { status_code: 200, body: 'hello\n' } }] };
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });

function token(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1_000) + 3_600;
  const signed = `${part({ alg: 'RS256', kid: 'bench' })}.${part({ iss: 'bench', aud: 'bench', sub: 'ada', exp })}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
}

/** Four IP policies of 2,500 ranges each: a policy's text has no room for as many. */
async function tenThousandRanges(platform: Platform): Promise<string[]> {
  const ids: string[] = [];
  for (let policy = 0; policy < 4; policy++) {
    const { body } = await platform.api('POST', '/ip_policies', {});
    const id = String(body.id);
    ids.push(id);
    const ranges = Array.from({ length: 2_500 }, (_, at) => `10.${policy * 10 + (at >> 8)}.${at & 255}.0/24`);
    if (policy === 3) ranges[0] = '127.0.0.0/8';
    await Promise.all(
      Array.from({ length: 16 }, async (_, worker) => {
        for (let at = worker; at < ranges.length; at += 16) {
          // Each worker waits for its own.
          // oxlint-disable-next-line no-await-in-loop
          const made = await platform.api('POST', '/ip_policy_rules', {
            ip_policy_id: id,
            cidr: ranges[at],
            action: 'allow',
          });
          if (made.status !== 201) throw new Error(made.text);
        }
      }),
    );
  }
  return ids;
}

const options = readOptions(process.argv.slice(2));
const { profile } = options;
if (profile !== '') await mkdir(profile, { recursive: true });
const wrk = options.ownLoad ? null : findCommand('wrk');
const keys = createServer((_request, response) => {
  response.end(JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench' }] }));
});
await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve));
const platform = await Platform.start({
  args: ['--log-level=warn', '--api-rate-limit=10000000', '--policy-outgoing-allow=127.0.0.1/32'],
  env: profile === '' ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${path.resolve(profile)}` },
});
try {
  const wanted = (id: string): boolean => options.only.length === 0 || id === 'bare' || options.only.includes(id);
  const action = (type: string, config: object): object => ({ actions: [{ type, config }] });
  const limit = { algorithm: 'sliding_window', capacity: 2_000_000_000, rate: '60s', bucket_key: ['conn.client_ip'] };
  const jwt = {
    issuer: { allow_list: [{ value: 'bench' }] },
    audience: { allow_list: [{ value: 'bench' }] },
    http: { tokens: [{ type: 'jwt', method: 'header', name: 'Authorization', prefix: 'Bearer ' }] },
    jws: {
      allowed_algorithms: ['RS256'],
      keys: { sources: { additional_jkus: [`http://127.0.0.1:${portOf(keys)}/keys`] } },
    },
  };
  const ip_policies = wanted('restrict-ips') ? await tenThousandRanges(platform) : [];
  const all: readonly Ruled[] = [
    { id: 'bare', title: 'no rule but the answer', rules: [], aim: null },
    { id: 'rules', title: 'ten rules with expressions', rules: TEN_RULES, aim: 10 },
    { id: 'rate-limit', title: 'rate-limit', rules: [action('rate-limit', { name: 'bench', ...limit })], aim: 3 },
    {
      id: 'restrict-ips',
      title: 'restrict-ips, 10,000 ranges',
      rules: [action('restrict-ips', { ip_policies })],
      aim: 3,
    },
    {
      id: 'jwt',
      title: 'jwt-validation, RS256, key known',
      rules: [action('jwt-validation', jwt)],
      headers: ['Authorization', `Bearer ${token()}`],
      aim: 60,
    },
  ];
  const [host, port] = splitAddress(platform.runtime.http_addr);
  const measured = [{ label: 'postern server', pids: [platform.runtime.pid] }];
  const variants: Variant[] = [];
  const ruled = all.filter(({ id }) => wanted(id));
  for (const { id, title, rules, headers = [] } of ruled) {
    const hostHeader = `bench-${id}.${platform.baseDomain}`;
    const traffic_policy = JSON.stringify({ on_http_request: [...rules, ANSWER] });
    const made = await platform.api('POST', '/endpoints', {
      type: 'cloud',
      url: `http://${hostHeader}`,
      traffic_policy,
    });
    if (made.status !== 201) throw new Error(made.text);
    variants.push({
      id,
      title,
      target: { host, port, path: '/', hostHeader, tls: false, headers: [...BROWSER, ...headers] },
      measured,
    });
  }
  const samples = await measureRounds(variants, options, wrk);
  const sums = (id: string): number[] => (samples.get(id) ?? []).map(({ cpu: [only = Number.NaN] }: Sample) => only);
  const bare = sums('bare');
  const added = (id: string): number => median(sums(id).map((one, round) => one - (bare[round] ?? Number.NaN)));
  const errors = (id: string): number => (samples.get(id) ?? []).reduce((total, one) => total + one.errors, 0);
  process.stdout.write(
    `\nNode ${process.versions.node}, ${os.cpus().length} × ${os.cpus()[0]?.model.trim() ?? 'CPU'}, load average ${os
      .loadavg()
      .map((one) => one.toFixed(1))
      .join(' ')}\n\n`,
  );
  const rows = ruled.map(({ id, title, aim }) => [
    title,
    median(sums(id)).toFixed(1),
    aim === null ? '' : added(id).toFixed(1),
    aim === null ? '' : `${aim} (${added(id) <= aim ? 'met' : 'missed'})`,
    String(errors(id)),
  ]);
  process.stdout.write(`${table(['policy', 'CPU µs/request', 'added', 'aim ≤', 'errors'], rows)}\n\n`);
  const ratios = ruled
    .filter(({ aim }) => aim !== null)
    .map(({ id, title }) =>
      ratioOf(
        `${title} ÷ the bare path`,
        sums(id).map((one, round) => one / (bare[round] ?? Number.NaN)),
        null,
      ),
    );
  process.stdout.write(`CPU ratios\n${ratioLines(ratios)}\n`);
} finally {
  await platform.dispose();
  keys.close();
}
