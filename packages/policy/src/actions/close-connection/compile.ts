import { readConfig } from '../../schema/problems.ts';
import type { ActionDefinition } from '../action.ts';
import { CLOSE } from '../outcome.ts';
import { closeConnectionAction, closeConnectionSchema } from './schema.ts';

/** Ends the connection without an answer; `on_http_response` does not run. */
export const closeConnection: ActionDefinition = {
  descriptor: closeConnectionAction,
  compile(config, env) {
    readConfig(closeConnectionSchema, config, env.path);
    return { run: () => CLOSE, terminates: true };
  },
};
