/**
 * What policies ask for, where no edge is: answered from what a trial is given, and never by guessing. What is asked for
 * and was not given is said in `notes`.
 */
import { createPublicKey } from 'node:crypto';
import { Readable } from 'node:stream';
import { fail } from '@postern/errors';
import type { Verdict } from '@postern/seclang';
import { CidrSet } from '../net/cidr.ts';
import type { CountLimit, IpPolicy, PolicyServices, PublishedKey } from '../services.ts';
import type { Given } from './given.ts';
import { plainOf, type Plain } from './plain.ts';
import { SERVERS_APP, trialSessions } from './logins.ts';

export interface TrialServices {
  readonly services: PolicyServices;
  /** What `log` has told. */
  readonly logs: Plain[];
  /** What was asked for and is not there. */
  readonly notes: Set<string>;
}

export function trialServices(given: Given): TrialServices {
  const logs: Plain[] = [];
  const notes = new Set<string>();
  const counts = new Map<string, number>();
  const { addresses } = given;
  const services: PolicyServices = {
    addresses: addresses === null ? null : { about: (ip) => addresses.get(ip) ?? null },
    bcrypt: {
      matches() {
        notes.add('passwords that are known as bcrypt hashes are compared by a running server only');
        return Promise.resolve(null);
      },
    },
    breakers: { enter: () => (given.tripped ? null : { leave: () => {} }) },
    counters: { take: (endpointId, bucket, limit) => take(counts, `${endpointId} ${limit.set} ${bucket}`, limit) },
    firewall: {
      judgeRequest: () => verdictOf(given, notes),
      judgeResponse: () => verdictOf(given, notes),
    },
    events: { emit: ({ fields }) => void logs.push(plainOf(fields)) },
    keys: {
      at(url) {
        const set = given.jwks.get(url);
        if (set !== undefined) return keysIn(set);
        notes.add(`no set of keys is given for ${url} (jwks)`);
        return Promise.resolve({ problem: 'it is not given' });
      },
    },
    outgoing: {
      call({ method, url }) {
        const known = given.calls.find((one) => one.url === url && (one.method === '' || one.method === method));
        if (known === undefined) notes.add(`no answer is given for ${method} ${url} (calls)`);
        const answer = known?.answer ?? { offline: true };
        if ('offline' in answer) return Promise.resolve(fail(3200, { url }));
        return Promise.resolve({ ...answer, ms: 0 });
      },
    },
    relays: {
      open({ url, silenceMs }) {
        const known = given.calls.find((one) => one.url === url);
        if (known === undefined) notes.add(`no answer is given for POST ${url} (calls)`);
        const answer = known?.answer ?? { offline: true };
        if ('offline' in answer) return Promise.resolve({ problem: 'it is not there', late: false });
        const fields = answer.headers.flat();
        return Promise.resolve({ status: answer.status, fields, body: Readable.from([answer.body]), silenceMs });
      },
    },
    providers: {
      callbackUrl: 'https://idp.trial.test/oauth2/callback',
      settings: () => SERVERS_APP,
      ask({ url }) {
        notes.add(`identity providers are asked by a running server only: ${url}`);
        return Promise.resolve({ problem: 'nobody is asked in a trial' });
      },
      document(url) {
        const document = given.documents.get(url);
        if (document !== undefined) return { document };
        notes.add(`no document is given for ${url} (documents)`);
        return Promise.resolve({ problem: 'it is not given' });
      },
    },
    resources: {
      secret(_account, vault, name) {
        const value = given.secrets.get(vault)?.get(name) ?? null;
        if (value === null) notes.add(`no secret "${name}" is given in a vault "${vault}" (secrets)`);
        return value;
      },
      ipPolicy(_account, id) {
        const policy = given.ipPolicies.get(id);
        if (policy === undefined) notes.add(`no IP policy ${id} is given (ip_policies)`);
        return policy === undefined ? null : rangesOf(policy);
      },
      certificateAuthority(_account, id) {
        const pem = given.authorities.get(id) ?? null;
        if (pem === null) notes.add(`no authority ${id} is given (authorities)`);
        return pem;
      },
    },
    slices: {
      run(_, step) {
        while (!step());
        return Promise.resolve('done');
      },
    },
    sessions: trialSessions(given),
  };
  return { services, logs, notes };
}

/** A trial has no rules, and does not guess what they would say. */
function verdictOf({ firewall }: Given, notes: Set<string>): Verdict {
  if (firewall === null) notes.add('what the rules of the firewall say is not given (firewall)');
  const denied = firewall === 'deny';
  const problem = firewall === null ? 'a trial has no rules' : null;
  return { problem, denied, score: denied ? 5 : 0, threshold: 5, matched: [], left: 0 };
}

/** The clock of a trial stands still, so that a window never slides. */
function take(counts: Map<string, number>, key: string, { capacity, windowMs }: CountLimit): number {
  const count = counts.get(key) ?? 0;
  if (count >= capacity) return windowMs;
  counts.set(key, count + 1);
  return 0;
}

function rangesOf({ allow, deny }: { readonly allow: readonly string[]; readonly deny: readonly string[] }): IpPolicy {
  return { allow: new CidrSet(allow), deny: new CidrSet(deny) };
}

function keysIn(set: unknown): readonly PublishedKey[] | Promise<{ problem: string }> {
  try {
    return jwksOf(set).map((jwk) => ({
      kid: textOf(jwk['kid']),
      alg: textOf(jwk['alg']),
      key: createPublicKey({ key: jwk, format: 'jwk' }),
    }));
  } catch (error) {
    return Promise.resolve({ problem: error instanceof Error ? error.message : 'it cannot be read' });
  }
}

function jwksOf(set: unknown): readonly Record<string, unknown>[] {
  const keys: unknown = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : null;
  if (!Array.isArray(keys)) throw new Error('it has no list of keys');
  return keys.map((key: unknown) => ({ ...(typeof key === 'object' ? key : null) }));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
