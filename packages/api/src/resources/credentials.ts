import type { ControlApi } from '@postern/control';
import { credentials as definition } from '@postern/resources';
import type { Operation } from '../resource/operation.ts';
import { handlersOf, serve } from '../resource/serve.ts';

/** Authtokens of agents. The token is in the answer of the create call and never again. */
export function credentials({ credentials: service }: ControlApi): Operation[] {
  return serve(definition, handlersOf(service));
}
