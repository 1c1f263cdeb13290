import { endOf, endedSession, endedUser, keep } from '../state/ended-logins.ts';
import type { HooksOf } from './hooks.ts';

const NOTHING = async (): Promise<void> => {};

/** A session that is deleted is over, whoever has its cookie. */
export const applicationSessions: HooksOf<'applicationSessions'> = (core) => ({
  async farewell(row) {
    const ended = endedSession(core, row, endOf(row), false);
    return { writes: ended === null ? [] : [keep(core, ended)], afterwards: NOTHING };
  },
});

/** With a user go his sessions, those that no list has any more as well. */
export const applicationUsers: HooksOf<'applicationUsers'> = (core) => ({
  async farewell(row) {
    const sessions = core.catalog.logins.at(row.id).map(({ id }) => core.store.applicationSessions.delete(id));
    return { writes: [...sessions, keep(core, endedUser(core, row))], afterwards: NOTHING };
  },
});
