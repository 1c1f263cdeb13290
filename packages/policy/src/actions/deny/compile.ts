import { readConfig } from '../../schema/problems.ts';
import type { Outcome } from '../../runtime.ts';
import type { ActionDefinition } from '../action.ts';
import { CLOSE, EMPTY_BODY, NO_HEADERS } from '../outcome.ts';
import { denyAction, denySchema } from './schema.ts';

/** Answers with a status and nothing else; a connection that has no request yet is closed. */
export const deny: ActionDefinition = {
  descriptor: denyAction,
  compile(config, env) {
    const { status_code: status } = readConfig(denySchema, config, env.path);
    if (env.phase === 'on_tcp_connect') return { run: () => CLOSE, terminates: true };
    const answer: Outcome = Object.freeze({
      kind: 'respond',
      status,
      headers: NO_HEADERS,
      body: EMPTY_BODY,
      denied: true,
    });
    return { run: () => answer, terminates: true };
  },
};
