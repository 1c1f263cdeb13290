/**
 * One order from its beginning to a certificate on disk, in steps that can each be the last of this process: what the
 * authority has to be found by again is on disk before the step that needs it, and what is asked twice is asked with
 * the same key, so that a crash costs neither a certificate nor more than one order.
 */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Challenge } from '@postern/link';
import { type AcmeOrderRow, type ManagedCertificateRow, timestamp } from '@postern/store';
import type { AcmeClient, Authorization, Order } from '../client/client.ts';
import { challengeIdentity, newKey, signingRequest } from '../client/csr.ts';
import { AcmeProblem } from '../client/problem.ts';
import type { AcmeParts, Subject } from '../types.ts';
import type { Authority, Ready } from './authority.ts';
import type { Board } from './board.ts';
import { Failure, OrderRefused } from './failure.ts';
import type { Choice } from './ways.ts';

/** From the order to the certificate; an authority that takes longer is asked anew later, for the same order. */
const DEADLINE_MS = 10 * 60_000;
const POLL_MS = 1_000;
const MOST_POLL_MS = 15_000;

export interface Issuing {
  readonly parts: AcmeParts;
  readonly board: Board;
  readonly authority: Authority;
  readonly subject: Subject;
  readonly managed: ManagedCertificateRow;
  /** By name. */
  readonly choices: ReadonlyMap<string, Choice>;
  /** That which goes on, or is made here first. */
  readonly open: AcmeOrderRow | null;
  /** Id of the certificate that is replaced (RFC 9773), of the same authority; '' = none. */
  readonly replaces: string;
  /** Told of the row of the order when it is there. */
  readonly ordered: (order: AcmeOrderRow) => void;
}

export interface Issued {
  readonly order: AcmeOrderRow;
  /** PEM, leaf first. */
  readonly chain: string;
}

/** @throws Failure, AcmeProblem */
export async function issue(issuing: Issuing): Promise<Issued> {
  const { parts, authority } = issuing;
  const ready = await authority.ready();
  const order = await placed(issuing, ready.client);
  const until = parts.now() + DEADLINE_MS;
  for (;;) {
    // Each look decides what the next step is.
    /* oxlint-disable no-await-in-loop */
    const seen = await ready.client.look(order.url);
    if (parts.now() > until) throw new Failure('CA_ERROR', `${authority.title} has not finished the order in time.`);
    switch (seen.status) {
      case 'pending':
        await prove(issuing, ready, seen, until);
        break;
      case 'ready':
        await ready.client.finalize(seen, await signingRequest(order.names, order.key));
        break;
      case 'processing':
        await pause(seen.retryAfterMs);
        break;
      case 'valid': {
        const chain = await chosenChain(ready.client, seen.certificate, authority.config.preferredChain);
        return { order, chain: checkedChain(chain, order.key) };
      }
      case 'invalid':
        throw new OrderRefused(await refusalOf(ready.client, seen));
    }
    /* oxlint-enable no-await-in-loop */
  }
}

/** The order at the authority; on disk before it is asked for, and its place as soon as that is known. */
async function placed(issuing: Issuing, client: AcmeClient): Promise<AcmeOrderRow & { readonly url: string }> {
  const { parts, authority, subject, managed, replaces } = issuing;
  const { store, ids, now } = parts;
  let order = issuing.open;
  if (order === null) {
    order = {
      id: ids.next('order'),
      accountId: subject.accountId,
      createdAt: timestamp(now()),
      managedId: managed.id,
      directory: authority.config.directory,
      url: '',
      names: subject.names,
      key: newKey(subject.keyType),
      state: 'open',
    };
    await store.commit([store.acmeOrders.insert(order)]);
  }
  issuing.ordered(order);
  if (order.url !== '') return order;
  const { names } = order;
  const asked = { names, profile: authority.config.profile, replaces };
  const url = await client.order(asked).catch((error: unknown) => {
    // It was replaced already, by an order that is lost.
    if (!(error instanceof AcmeProblem) || replaces === '' || error.status !== 409) throw error;
    return client.order({ ...asked, replaces: '' });
  });
  await store.commit([store.acmeOrders.update(order.id, { url })]);
  return { ...order, url };
}

/** Answers all challenges of the order at once, and waits until the authority has looked. */
async function prove(issuing: Issuing, ready: Ready, order: Order, until: number): Promise<void> {
  const { parts } = issuing;
  const undo: (() => Promise<void>)[] = [];
  try {
    const pending = (await Promise.all(order.authorizations.map((url) => ready.client.authorization(url)))).filter(
      ({ status }) => status === 'pending',
    );
    const asked = await Promise.all(pending.map((one) => answered(issuing, ready, one, undo)));
    for (const url of asked) {
      // One after the other: a nonce at a time.
      // oxlint-disable-next-line no-await-in-loop
      await ready.client.ready(url);
    }
    for (;;) {
      /* oxlint-disable no-await-in-loop -- until the authority has decided */
      const all = await Promise.all(order.authorizations.map((url) => ready.client.authorization(url)));
      if (all.every(({ status }) => status !== 'pending')) break;
      if (parts.now() > until) throw new Failure('CA_ERROR', 'The authority has not looked at the challenges in time.');
      await pause(all.find(({ status }) => status === 'pending')?.retryAfterMs ?? null);
      /* oxlint-enable no-await-in-loop */
    }
  } finally {
    await Promise.allSettled(undo.map((one) => one()));
  }
}

/** @returns the URL of the challenge that can be looked at now */
async function answered(
  { parts, board, choices, subject }: Issuing,
  { key }: Ready,
  { name, wildcard, challenges }: Authorization,
  undo: (() => Promise<void>)[],
): Promise<string> {
  const way = choices.get(wildcard ? `*.${name}` : name)?.way ?? 'http-01';
  const offered = challenges.find(({ type }) => type === way);
  if (offered === undefined) throw new Failure('CA_REFUSED', `The authority does not offer ${way} for ${name}.`);
  const authorization = key.authorize(offered.token);
  if (way === 'dns-01') {
    const { dns } = parts;
    if (dns === null) throw new Failure('DNS_ERROR', 'Records cannot be set any more.');
    const record = subject.domainId === '' ? `_acme-challenge.${name}` : parts.challengeRecord(`*.${name}`);
    const value = dnsValue(authorization);
    undo.push(() => dns.cleanup(record, value));
    await dns.present(record, value);
  } else {
    const challenge: Challenge =
      way === 'http-01'
        ? { kind: 'http-01', name, token: offered.token, answer: authorization }
        : { kind: 'tls-alpn-01', name, ...(await challengeIdentity(name, authorization, parts.now())) };
    undo.push(() => board.remove(challenge));
    await board.add(challenge);
  }
  return offered.url;
}

/** RFC 8555 §8.4 */
function dnsValue(authorization: string): string {
  return createHash('sha256').update(authorization).digest('base64url');
}

/** What the authority found wrong, of its first challenge that failed. */
async function refusalOf(client: AcmeClient, order: Order): Promise<AcmeProblem> {
  for (const url of order.authorizations) {
    // oxlint-disable-next-line no-await-in-loop -- the first is enough
    const { problem } = await client.authorization(url);
    if (problem !== null) return problem;
  }
  return order.problem ?? new AcmeProblem('malformed', 'the order is not valid');
}

async function chosenChain(client: AcmeClient, url: string, preferred: string): Promise<string> {
  const { chain, others } = await client.download(url);
  if (preferred === '' || topOf(chain) === preferred) return chain;
  for (const other of others) {
    // oxlint-disable-next-line no-await-in-loop -- until one fits
    const found = (await client.download(other)).chain;
    if (topOf(found) === preferred) return found;
  }
  return chain;
}

const BEGIN = '-----BEGIN CERTIFICATE-----';

/** Common name of who signed the last certificate. */
function topOf(chain: string): string {
  const { issuer } = new X509Certificate(chain.slice(chain.lastIndexOf(BEGIN)));
  return (
    issuer
      .split('\n')
      .find((line) => line.startsWith('CN='))
      ?.slice(3) ?? ''
  );
}

/** What is served has to be what was ordered. */
function checkedChain(chain: string, key: string): string {
  const certificate = new X509Certificate(chain);
  if (!certificate.checkPrivateKey(createPrivateKey(key)))
    throw new AcmeProblem('malformed', 'the certificate is of another key');
  return chain;
}

async function pause(asked: number | null): Promise<void> {
  await wait(Math.min(asked ?? POLL_MS, MOST_POLL_MS), undefined, { ref: false });
}
