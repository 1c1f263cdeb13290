/**
 * Keeps names certified: what is wanted has a row, and each row a next moment at which something is done for it. All
 * that decides lies in the rows, so that a start goes on where the last process ended.
 */
import { StoreOvertaken, timestamp, type ManagedCertificateRow } from '@postern/store';
import { renewalIdOf } from '../certificate.ts';
import type { AcmeParts, Subject } from '../types.ts';
import { Authority } from './authority.ts';
import { Board } from './board.ts';
import { type Kept, dueOf, nextOf } from './kept.ts';
import { NO_TRY } from './no-try.ts';
import { Orders } from './orders.ts';
import { keyOf, paired } from './paired.ts';
import { renewalWithin } from './renewal.ts';
import { Runner } from './runner.ts';
import { checkNames, type NameCheck } from './check.ts';

/** At once, and of one account. */
const MOST_RUNNING = 8;
const MOST_OF_ONE = 6;
/** At a start: between two renewals that are due, and between two names without a certificate. */
const SPREAD_MS = 5_000;
const SPREAD_NEW_MS = 100;
const LOOK_MS = 30_000;
/** Where the authority does not say when to ask again for its wish. */
const ASK_AGAIN_MS = 6 * 3_600_000;
const DAY = 86_400_000;
/** Between two requests by hand for one row, and how many are answered at once. */
const ASK_MS = 10_000;
const MOST_CHECKS = 4;

export interface Numbers {
  /** What is wanted: how much of it is served, and how much has no certificate. */
  readonly served: number;
  readonly missing: number;
  /** When the first of those that are served ends, Unix milliseconds; null = none is. */
  readonly soonestEnd: number | null;
  /** Since the start. */
  readonly issued: number;
  /** By code. */
  readonly failed: ReadonlyMap<string, number>;
}

export class CertificateManager {
  readonly #parts: AcmeParts;
  readonly #kept = new Map<string, Kept>();
  readonly #authorities: readonly Authority[];
  readonly #orders: Orders;
  readonly #board: Board;
  readonly #runner: Runner;
  readonly #work = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;
  #warnedAt = 0;
  #asking = false;
  #checking = 0;

  constructor(parts: AcmeParts) {
    this.#parts = parts;
    this.#authorities = parts.config.authorities.map((config) => new Authority(parts, config));
    this.#orders = new Orders(parts.store, parts.now);
    this.#board = new Board(parts.present);
    this.#runner = new Runner(parts, this.#board, this.#authorities, this.#orders);
  }

  /** Takes up what the last process left, and begins what is due, spread out. */
  async start(): Promise<void> {
    const { store, now } = this.#parts;
    await this.#orders.load();
    const [rows, wanted] = [await store.all('managedCertificates'), await this.#parts.wanted()];
    const { pairs, lost, added } = paired(rows, (row) => row, wanted);
    for (const row of lost) await this.#forget(row);
    for (const [row, subject] of pairs) this.#take(row, subject);
    for (const subject of added) await this.#add(subject);
    this.#spread(now());
    this.look();
  }

  /** Nothing new is begun; what runs is left where it is, on disk. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** The reserved domain came, was changed, or is gone. */
  async domainChanged(domainId: string): Promise<void> {
    const wanted = await this.#parts.wantedFor(domainId);
    const there = [...this.#kept.values()].filter(({ subject }) => subject.domainId === domainId);
    if (this.#stopped) return;
    const { pairs, lost, added } = paired(there, ({ subject }) => subject, wanted);
    for (const kept of lost) {
      kept.gone = true;
      if (!kept.running) await this.#leave(kept);
    }
    for (const [kept, subject] of pairs) {
      if (kept.subject.keyType === subject.keyType) continue;
      kept.subject = subject;
      await this.#write(kept, { retriesAt: '', attempts: 0 });
      kept.dueAt = this.#parts.now();
    }
    for (const subject of added) await this.#add(subject);
    this.look();
  }

  /**
   * Orders a new one now, whatever was planned; limits of authorities hold.
   * @returns seconds to wait before it may be asked for; 0 = it is under way; null = no such row here
   */
  async renew(id: string): Promise<number | null> {
    const kept = this.#kept.get(id);
    if (kept === undefined || this.#stopped) return null;
    if (kept.running) return 0;
    const wait = this.#askedByHand(kept);
    if (wait > 0) return wait;
    const now = this.#parts.now();
    kept.dueAt = now;
    const renewsAt = kept.life === null ? '' : timestamp(now);
    await this.#write(kept, { renewsAt, retriesAt: '', errorCode: '', message: '' });
    this.look();
    return 0;
  }

  /**
   * Whether an order would succeed, as far as that can be told without one.
   * @returns seconds to wait before it may be asked; null = no such row here
   */
  async check(id: string): Promise<number | readonly NameCheck[] | null> {
    const kept = this.#kept.get(id);
    if (kept === undefined || this.#stopped) return null;
    const wait = this.#checking >= MOST_CHECKS ? ASK_MS / 1_000 : this.#askedByHand(kept);
    if (wait > 0) return wait;
    this.#checking += 1;
    try {
      return await checkNames(this.#parts, this.#board, kept.subject);
    } finally {
      this.#checking -= 1;
    }
  }

  /** @returns seconds until it may be asked for; each question costs connections to wherever the name leads */
  #askedByHand(kept: Kept): number {
    const now = this.#parts.now();
    const wait = kept.askedAt + ASK_MS - now;
    if (wait > 0) return Math.ceil(wait / 1_000);
    kept.askedAt = now;
    return 0;
  }

  get numbers(): Numbers {
    let served = 0;
    let soonestEnd: number | null = null;
    for (const { life } of this.#kept.values()) {
      if (life === null) continue;
      served++;
      if (soonestEnd === null || life.notAfter < soonestEnd) soonestEnd = life.notAfter;
    }
    return {
      served,
      missing: this.#kept.size - served,
      soonestEnd,
      issued: this.#runner.issued,
      failed: this.#runner.failed,
    };
  }

  /** Begins what is due. */
  look(): void {
    if (this.#stopped) return;
    const now = this.#parts.now();
    while (this.#work.size < MOST_RUNNING) {
      const next = nextOf(this.#kept.values(), now, MOST_OF_ONE);
      if (next === null) break;
      next.running = true;
      const settled = this.#begin(next, () => this.#work.delete(settled));
      this.#work.add(settled);
    }
    void this.#ask(now);
    this.#warn(now);
    this.#sleep(now);
  }

  async #begin(next: Kept, over: () => void): Promise<void> {
    try {
      await this.#runner.run(next);
      if (next.gone && !this.#stopped) await this.#leave(next);
    } catch (error) {
      this.#parts.log.error(
        { err: error, names: next.row.names },
        'work on a certificate ended with a mistake of ours',
      );
      next.dueAt = this.#parts.now() + LOOK_MS;
    }
    next.running = false;
    over();
    this.look();
  }

  #sleep(now: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    let next = now + LOOK_MS;
    for (const { dueAt, running } of this.#kept.values()) if (!running && dueAt < next) next = dueAt;
    this.#timer = setTimeout(() => this.look(), Math.max(next - now, 10)).unref();
  }

  async #add(subject: Subject): Promise<void> {
    const { ids, now } = this.#parts;
    const row: ManagedCertificateRow = {
      id: ids.next('mcert'),
      accountId: subject.accountId,
      createdAt: timestamp(now()),
      names: subject.names,
      domainId: subject.domainId,
      keyType: subject.keyType,
      certificateId: '',
      directory: '',
      challenge: '',
      renewsAt: '',
      ...NO_TRY,
    };
    const made = await this.#first(row);
    if (made.certificateId !== '') await this.#serve(made);
    this.#take(made, subject);
  }

  /** Of nodes that want the same names kept, the row of the one that comes first. */
  async #first(row: ManagedCertificateRow): Promise<ManagedCertificateRow> {
    const { store } = this.#parts;
    for (;;) {
      /* oxlint-disable no-await-in-loop -- again where somebody else was faster */
      const asOf = await store.revision();
      const rows = await store.managedCertificates.find({ domainId: row.domainId });
      const there = rows.find((one) => keyOf(one) === keyOf(row));
      if (there !== undefined) return there;
      const guards = { asOf, alone: [`certificate of ${keyOf(row)}`], shared: [] };
      try {
        await store.commit([store.managedCertificates.insert(row)], guards);
        return row;
      } catch (error) {
        if (!(error instanceof StoreOvertaken)) throw error;
      }
      /* oxlint-enable no-await-in-loop */
    }
  }

  /** What another node has had issued. */
  async #serve(row: ManagedCertificateRow): Promise<void> {
    const found = await this.#parts.store.tlsCertificates.get(row.certificateId);
    if (found !== null) await this.#parts.changed(row, { cert: found.certificatePem, key: found.privateKeyPem });
  }

  #take(row: ManagedCertificateRow, subject: Subject): void {
    const { now } = this.#parts;
    const life = row.certificateId === '' ? null : this.#parts.lifeOf(row);
    const open = this.#orders.openOf(row.id) !== null;
    const changed = row.keyType !== subject.keyType || row.names.join(' ') !== subject.names.join(' ');
    const dueAt = open || changed ? now() : dueOf(row, now());
    this.#kept.set(row.id, { row, subject, life, dueAt, askAt: now(), running: false, askedAt: 0, gone: false });
  }

  /** Soonest end first. */
  #spread(now: number): void {
    const due = [...this.#kept.values()].filter(({ dueAt }) => dueAt <= now);
    const byEnd = due.toSorted((a, b) => (a.life?.notAfter ?? 0) - (b.life?.notAfter ?? 0));
    let at = now;
    for (const kept of byEnd) {
      kept.dueAt = at;
      at += kept.life === null ? SPREAD_NEW_MS : SPREAD_MS;
    }
    // Wishes are asked for one after the other.
    for (const [index, kept] of [...this.#kept.values()].entries()) kept.askAt = now + index * SPREAD_NEW_MS;
  }

  /** Asks authorities when they wish renewals to be, one at a time. */
  async #ask(now: number): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      for (const kept of this.#kept.values()) {
        if (kept.askAt > now || kept.running || kept.life === null || this.#stopped) continue;
        kept.askAt = now + ASK_AGAIN_MS;
        await this.#askOne(kept, now);
      }
    } finally {
      this.#asking = false;
    }
  }

  async #askOne(kept: Kept, now: number): Promise<void> {
    const authority = this.#authorities.find(({ config }) => config.directory === kept.row.directory);
    if (authority === undefined) return;
    try {
      const certificate = await this.#parts.store.tlsCertificates.get(kept.row.certificateId);
      const renewalId = certificate === null ? '' : renewalIdOf(certificate.certificatePem);
      if (renewalId === '') return;
      const { client } = await authority.ready();
      const info = await client.renewalInfo(renewalId);
      if (info === null || this.#stopped || kept.running) return;
      if (info.retryAfterMs !== null) kept.askAt = now + Math.max(info.retryAfterMs, 60_000);
      const planned = kept.row.renewsAt === '' ? now : Date.parse(kept.row.renewsAt);
      const at = renewalWithin(info, planned, now, this.#parts.random());
      if (at === planned) return;
      await this.#write(kept, { renewsAt: timestamp(at) });
      if (kept.row.retriesAt === '') kept.dueAt = at;
      if (at <= now)
        this.#parts.log.warn({ names: kept.row.names }, 'the authority wants this certificate replaced now');
      this.#sleep(now);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#parts.log.info({ names: kept.row.names, reason }, 'the authority does not say when to renew; asked later');
    }
  }

  /** Once a day, of everything that should have been renewed by now. */
  #warn(now: number): void {
    if (now - this.#warnedAt < DAY) return;
    this.#warnedAt = now;
    for (const { row, life } of this.#kept.values()) {
      if (life === null || (life.notAfter - now) * 3 >= life.notAfter - life.notBefore) continue;
      const days = Math.floor((life.notAfter - now) / DAY);
      const { names, message } = row;
      this.#parts.log.warn({ names, days, reason: message }, 'a certificate is in the last third of its life');
    }
  }

  async #write(kept: Kept, patch: Partial<ManagedCertificateRow>): Promise<void> {
    const { store } = this.#parts;
    await store.commit([store.managedCertificates.update(kept.row.id, patch)]);
    kept.row = { ...kept.row, ...patch };
  }

  async #leave({ row }: Kept): Promise<void> {
    this.#kept.delete(row.id);
    await this.#forget(row);
  }

  /** Nobody wants it any more: its key goes with it. */
  async #forget(row: ManagedCertificateRow): Promise<void> {
    const { store } = this.#parts;
    const order = this.#orders.openOf(row.id);
    await store
      .commit([
        store.managedCertificates.delete(row.id),
        ...(row.certificateId === '' ? [] : [store.tlsCertificates.delete(row.certificateId)]),
        ...(order === null ? [] : [this.#orders.ending(order, 'failed')]),
      ])
      .catch((error: unknown) => {
        if (!(error instanceof StoreOvertaken)) throw error;
      });
    if (order !== null) this.#orders.ended(order, 'failed');
    await this.#parts.changed(row, null);
  }
}
