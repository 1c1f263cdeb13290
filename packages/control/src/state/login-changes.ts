/** What events of log-ins, and the time, make of the lists of an account: users, sessions, and what was ended. */
import type { LoginEvent } from '@postern/link';
import { timestamp, type Tables, type Write } from '@postern/store';
import type { Core } from '../core.ts';
import { SEALED_MS } from '../edges/login-keys.ts';
import { endOf, endedSession } from './ended-logins.ts';
import { PendingRows } from './pending-rows.ts';

/** Of one account. Log-ins that are beyond it hold, but are in no list. */
const MOST_LISTED = 10_000;
/** Sessions of one account that their visitors have ended; those that somebody has deleted are all kept. */
const MOST_LOGGED_OUT = 10_000;
/** Where there are too many, as many go at once that the rows are not put in order for each log-in. */
const AT_ONCE = 100;
/** Requests are written down once in this time: several edges may tell of one session. */
const SEEN_MS = 540_000;

type Event<K extends LoginEvent['kind']> = Extract<LoginEvent, { readonly kind: K }>;
type UserRow = Tables['applicationUsers'];

export class LoginChanges {
  readonly #core: Core;
  readonly #users: PendingRows<UserRow>;
  readonly #sessions: PendingRows<Tables['applicationSessions']>;
  readonly #ended: PendingRows<Tables['endedLogins']>;

  constructor(core: Core) {
    const { catalog, store } = core;
    this.#core = core;
    this.#users = new PendingRows(catalog.users, store.applicationUsers);
    this.#sessions = new PendingRows(catalog.logins, store.applicationSessions);
    this.#ended = new PendingRows(catalog.resources.mirrors.endedLogins, store.endedLogins);
  }

  take(event: LoginEvent): void {
    switch (event.kind) {
      case 'began':
        this.#begin(event);
        return;
      case 'seen':
        this.#see(event);
        return;
      case 'ended':
        this.#end(event);
    }
  }

  /** What is over by itself is not worth a row. */
  tidy(): void {
    const { catalog, now } = this.#core;
    for (const row of catalog.logins.all()) {
      const end = endOf(row);
      // Nobody's browser has anything of it that can be opened.
      const forgotten = now() - Date.parse(row.lastActive) > SEALED_MS + SEEN_MS;
      if (forgotten || (end !== 0 && end <= now())) this.#sessions.drop(row.id);
    }
    for (const row of catalog.resources.mirrors.endedLogins.all()) if (row.until <= now()) this.#ended.drop(row.id);
  }

  /** @param accountIds whose lists have grown */
  writes(accountIds: ReadonlySet<string>): readonly Write[] {
    for (const accountId of accountIds) this.#bound(accountId);
    return [...this.#users.writes(), ...this.#sessions.writes(), ...this.#ended.writes()];
  }

  #begin({ accountId, sessionId, at, until, user, browser, endpointId, url }: Event<'began'>): void {
    // It was ended before word of its beginning came.
    if (this.#ended.get(sessionId) !== null || at < (this.#ended.get(user.id)?.begunBefore ?? 0)) return;
    const time = timestamp(at);
    const { id, provider, subject, email, name } = user;
    const before = this.#users.get(id);
    this.#users.put({
      id,
      accountId,
      createdAt: before?.createdAt ?? time,
      identityProvider: { name: provider, url: /^https?:/.test(provider) ? provider : '' },
      providerUserId: subject,
      username: '',
      email,
      name,
      lastActive: time,
      lastLogin: time,
    });
    this.#sessions.put({
      id: sessionId,
      accountId,
      createdAt: time,
      publicUrl: url,
      browserSession: browser,
      applicationUserId: id,
      lastActive: time,
      expiresAt: until === 0 ? '' : timestamp(until),
      endpointId,
      edgeId: '',
      routeId: '',
    });
  }

  #see({ sessionId, userId, at }: Event<'seen'>): void {
    const lastActive = timestamp(at);
    const session = this.#sessions.get(sessionId);
    if (session !== null && isLater(session.lastActive, at)) this.#sessions.put({ ...session, lastActive });
    const user = this.#users.get(userId);
    if (user !== null && isLater(user.lastActive, at)) this.#users.put({ ...user, lastActive });
  }

  #end({ accountId, sessionId, until }: Event<'ended'>): void {
    this.#sessions.drop(sessionId);
    const row = endedSession(this.#core, { id: sessionId, accountId }, until, true);
    if (row !== null && this.#ended.get(sessionId) === null) this.#ended.put(row);
  }

  #bound(accountId: string): void {
    const users = this.#users.beyond(accountId, MOST_LISTED).toSorted((a, b) => (a.lastLogin < b.lastLogin ? 1 : -1));
    for (const { id } of beyond(users, MOST_LISTED)) {
      this.#users.drop(id);
      for (const session of this.#core.catalog.logins.at(id)) this.#sessions.drop(session.id);
    }
    for (const { id } of beyond(this.#sessions.beyond(accountId, MOST_LISTED), MOST_LISTED)) this.#sessions.drop(id);
    const loggedOut = this.#ended.beyond(accountId, MOST_LOGGED_OUT).filter(({ byVisitor }) => byVisitor);
    if (loggedOut.length <= MOST_LOGGED_OUT) return;
    for (const { id } of beyond(
      loggedOut.toSorted((a, b) => b.until - a.until),
      MOST_LOGGED_OUT,
    ))
      this.#ended.drop(id);
  }
}

function isLater(known: string, at: number): boolean {
  return at - Date.parse(known) >= SEEN_MS;
}

function beyond<R>(rows: readonly R[], most: number): readonly R[] {
  return rows.slice(most - AT_ONCE);
}
