import { StoreOvertaken, timestamp, type AcmeOrderRow, type ManagedCertificateRow } from '@postern/store';
import { renewalIdOf } from '../certificate.ts';
import { AcmeProblem } from '../client/problem.ts';
import type { AcmeParts } from '../types.ts';
import type { Authority } from './authority.ts';
import { backoff } from './backoff.ts';
import type { Board } from './board.ts';
import { Failure, failureOf, OrderRefused } from './failure.ts';
import { issue, type Issued } from './issue.ts';
import { dueOf, type Kept } from './kept.ts';
import { NO_TRY } from './no-try.ts';
import type { Orders } from './orders.ts';
import { lifeOf, renewalOf } from './renewal.ts';
import { TestAuthorities } from './test-authorities.ts';
import { chooseWay, type Choice } from './ways.ts';

/** For whoever works on a row; another node may after that. */
const LEASE_MS = 15 * 60_000;
const LEASE_TRIES = 3;
/** Whether another node is done with a row. */
const LOOK_AGAIN_MS = 30_000;
/** The order may be good yet: it is gone on with. */
const KEEPS_ORDER: ReadonlySet<string> = new Set(['unreachable', 'serverInternal', 'rateLimited', 'badNonce']);

/** One try for one row: from "it is due" to a certificate that is served, or to a word that says what is missing. */
export class Runner {
  readonly #parts: AcmeParts;
  readonly #board: Board;
  readonly #authorities: readonly Authority[];
  readonly #orders: Orders;
  readonly #tests: TestAuthorities;
  issued = 0;
  readonly failed = new Map<string, number>();

  constructor(parts: AcmeParts, board: Board, authorities: readonly Authority[], orders: Orders) {
    this.#parts = parts;
    this.#board = board;
    this.#authorities = authorities;
    this.#orders = orders;
    this.#tests = new TestAuthorities(parts);
  }

  async run(kept: Kept): Promise<void> {
    const { now, log } = this.#parts;
    const heldUntil = await this.#hold(kept);
    if (heldUntil !== null) {
      kept.dueAt = heldUntil;
      return;
    }
    try {
      await this.#try(kept);
      this.issued += 1;
    } catch (error) {
      const failure = failureOf(error, this.#authorities[0]?.title ?? '');
      const { names, certificateId, attempts } = kept.row;
      this.failed.set(failure.code, (this.failed.get(failure.code) ?? 0) + 1);
      const tries = attempts + 1;
      const ms = failure.retryAfterMs ?? backoff(tries, failure.code !== 'DNS_ERROR', this.#parts.random());
      const retriesAt = timestamp(now() + ms);
      await this.#write(kept, {
        attempts: tries,
        retriesAt,
        errorCode: failure.code,
        message: failure.message,
        holder: '',
        heldUntil: '',
      });
      kept.dueAt = now() + ms;
      if (failure.code === 'INTERNAL_ERROR') log.error({ err: error, names }, 'a certificate met a mistake of ours');
      const fields = { names, code: failure.code, reason: failure.message, retries_at: retriesAt };
      if (certificateId === '') log.warn(fields, 'no certificate yet');
      else log.warn(fields, 'a certificate could not be renewed yet; the old one is served');
    }
  }

  /** @returns null when this node has the row now, or else when there is something to do for it again */
  async #hold(kept: Kept): Promise<number | null> {
    const { store, node, now } = this.#parts;
    for (let left = LEASE_TRIES; left > 0; left -= 1) {
      /* oxlint-disable no-await-in-loop -- again where somebody else was faster */
      const asOf = await store.revision();
      const row = await store.managedCertificates.get(kept.row.id);
      if (row === null) return Infinity;
      const until = row.heldUntil === '' ? 0 : Date.parse(row.heldUntil);
      if (row.holder !== '' && row.holder !== node && until > now()) return Math.min(until, now() + LOOK_AGAIN_MS);
      const { certificateId, retriesAt } = kept.row;
      if (row.certificateId !== certificateId) return this.#takeOver(kept, row);
      // Another node has tried since, and does so again at that time.
      if (row.retriesAt !== retriesAt && dueOf(row, now()) > now()) {
        kept.row = row;
        return dueOf(row, now());
      }
      const patch = {
        holder: node,
        heldUntil: timestamp(now() + LEASE_MS),
        startedAt: row.startedAt || timestamp(now()),
      };
      try {
        await store.commit([store.managedCertificates.update(row.id, patch)], { asOf, alone: [row.id], shared: [] });
        kept.row = { ...row, ...patch };
        return null;
      } catch (error) {
        if (!(error instanceof StoreOvertaken)) throw error;
      }
      /* oxlint-enable no-await-in-loop */
    }
    return now() + LEASE_MS;
  }

  /** Another node was faster, and has a certificate: it is served here, too. @returns when it is to be renewed */
  async #takeOver(kept: Kept, row: ManagedCertificateRow): Promise<number> {
    const { store, changed, now } = this.#parts;
    const found = await store.tlsCertificates.get(row.certificateId);
    kept.row = row;
    kept.life = found === null ? null : lifeOf(found.certificatePem);
    await changed(row, found === null ? null : { cert: found.certificatePem, key: found.privateKeyPem });
    return dueOf(row, now());
  }

  async #try(kept: Kept): Promise<void> {
    const { subject } = kept;
    const choices = new Map<string, Choice>();
    for (const name of subject.names) {
      // oxlint-disable-next-line no-await-in-loop -- the first that fails says what is to do
      choices.set(name, await chooseWay(this.#parts, this.#board, subject, name));
    }
    const open = await this.#openOrder(kept);
    const first = this.#authorities.find(({ config }) => config.directory === open?.directory);
    const others = this.#authorities.filter((authority) => authority !== first);
    const sequence = first === undefined ? others : [first, ...others];
    let failure: Failure | null = null;
    for (const authority of sequence) {
      /* oxlint-disable no-await-in-loop -- the next is asked when this one cannot */
      try {
        await this.#tests.admit(kept.row, authority);
        const issued = await this.#askOne(kept, authority, choices, authority === first ? open : null);
        await this.#judge(kept, authority, issued);
        await this.#keep(kept, authority, issued, choices);
        return;
      } catch (error) {
        failure = failureOf(error, authority.title);
        if (!failure.elsewhere) throw failure;
        this.#parts.log.warn({ names: subject.names, reason: failure.message }, 'a certificate authority has none now');
      }
      /* oxlint-enable no-await-in-loop */
    }
    throw failure ?? new Failure('INTERNAL_ERROR', 'There is no certificate authority.');
  }

  /** The order is over either way. @throws Failure */
  async #judge({ row }: Kept, authority: Authority, { order, chain }: Issued): Promise<void> {
    try {
      await this.#tests.judge(row, authority, chain);
    } catch (error) {
      await this.#end(order, 'failed');
      throw error;
    }
  }

  /** The order that is gone on with; one for other names or of an authority that is not asked any more is over. */
  async #openOrder({ row, subject }: Kept): Promise<AcmeOrderRow | null> {
    const open = await this.#orders.openNow(row.id);
    if (open === null) return null;
    const known = this.#authorities.some(({ config }) => config.directory === open.directory);
    if (known && open.names.join(' ') === subject.names.join(' ')) return open;
    await this.#end(open, 'failed');
    return null;
  }

  /** An order of an earlier try may have failed since for want of an answer, or be forgotten: one more is placed then. */
  async #askOne(
    kept: Kept,
    authority: Authority,
    choices: ReadonlyMap<string, Choice>,
    open: AcmeOrderRow | null,
  ): Promise<Issued> {
    try {
      return await this.#order(kept, authority, choices, open);
    } catch (error) {
      const isLost = error instanceof AcmeProblem && error.status === 404 && !KEEPS_ORDER.has(error.type);
      const isOver = isLost || error instanceof OrderRefused;
      if (open === null || !isOver) throw error;
      return this.#order(kept, authority, choices, null);
    }
  }

  async #order(
    kept: Kept,
    authority: Authority,
    choices: ReadonlyMap<string, Choice>,
    open: AcmeOrderRow | null,
  ): Promise<Issued> {
    const { subject, row } = kept;
    const { directory } = authority.config;
    let order = open;
    if (order === null) this.#orders.admit({ accountId: subject.accountId, directory, names: subject.names });
    const replaced =
      row.directory === directory ? await this.#parts.store.tlsCertificates.get(row.certificateId) : null;
    const replaces = replaced === null ? '' : renewalIdOf(replaced.certificatePem);
    try {
      return await issue({
        parts: this.#parts,
        board: this.#board,
        authority,
        subject,
        managed: row,
        choices,
        open,
        replaces,
        ordered: (made) => {
          order = made;
          this.#orders.put(made);
        },
      });
    } catch (error) {
      if (error instanceof AcmeProblem && error.type === 'accountDoesNotExist') await authority.forget();
      if (order !== null) await this.#afterFailure(order, error);
      throw error;
    }
  }

  async #afterFailure(order: AcmeOrderRow, error: unknown): Promise<void> {
    const now = (await this.#parts.store.acmeOrders.get(order.id)) ?? order;
    this.#orders.put(now);
    if (now.url === '') return this.#orders.drop(now);
    if (error instanceof Failure || (error instanceof AcmeProblem && KEEPS_ORDER.has(error.type))) return;
    await this.#end(now, 'failed');
  }

  async #end(order: AcmeOrderRow, state: 'issued' | 'failed'): Promise<void> {
    await this.#parts.store.commit([this.#orders.ending(order, state)]);
    this.#orders.ended(order, state);
  }

  /** The new one is on disk, and only then served; the old one's key goes in the same moment. */
  async #keep(
    kept: Kept,
    authority: Authority,
    { order, chain }: Issued,
    choices: ReadonlyMap<string, Choice>,
  ): Promise<void> {
    const { store, ids, now, random, describe, changed, log } = this.#parts;
    const { row, subject } = kept;
    const life = lifeOf(chain);
    const renewsAt = renewalOf(life, random());
    const at = timestamp(now());
    const certificateId = ids.next('cert');
    const patch: Partial<ManagedCertificateRow> = {
      names: subject.names,
      keyType: subject.keyType,
      certificateId,
      directory: authority.config.directory,
      challenge: [...choices].map(([name, { way, why }]) => `${name}: ${way}, ${why}`).join('; '),
      renewsAt: timestamp(renewsAt),
      ...NO_TRY,
    };
    await store.commit([
      store.tlsCertificates.insert({
        id: certificateId,
        accountId: row.accountId,
        createdAt: at,
        description: '',
        metadata: '',
        certificatePem: chain,
        privateKeyPem: order.key,
        issuedAt: at,
        ...describe(chain, order.key),
      }),
      store.managedCertificates.update(row.id, patch),
      this.#orders.ending(order, 'issued'),
      ...(row.certificateId === '' ? [] : [store.tlsCertificates.delete(row.certificateId)]),
    ]);
    this.#orders.ended(order, 'issued');
    kept.row = { ...row, ...patch };
    kept.life = life;
    kept.dueAt = renewsAt;
    kept.askAt = now();
    await changed(kept.row, { cert: chain, key: order.key });
    log.info(
      { names: subject.names, authority: authority.title, renews_at: patch.renewsAt },
      'a certificate was issued',
    );
  }

  async #write(kept: Kept, patch: Partial<ManagedCertificateRow>): Promise<void> {
    const { store } = this.#parts;
    await store.commit([store.managedCertificates.update(kept.row.id, patch)]);
    kept.row = { ...kept.row, ...patch };
  }
}
