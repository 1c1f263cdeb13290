/** Visitors who have logged in by policies, their sessions, and what was ended of those. */
import { type Migration, tableOfRows } from './step.ts';

export const logins: Migration = {
  version: 10,
  name: 'log-ins of visitors',
  steps: [
    tableOfRows('application_users', {
      identityProvider: 'json',
      providerUserId: 'text',
      username: 'text',
      email: 'text',
      name: 'text',
      lastActive: 'text',
      lastLogin: 'text',
    }),
    tableOfRows('application_sessions', {
      publicUrl: 'text',
      browserSession: 'json',
      applicationUserId: 'text',
      lastActive: 'text',
      expiresAt: 'text',
      endpointId: 'text',
      edgeId: 'text',
      routeId: 'text',
    }),
    tableOfRows('ended_logins', { begunBefore: 'integer', until: 'integer', byVisitor: 'boolean' }),
  ],
};
