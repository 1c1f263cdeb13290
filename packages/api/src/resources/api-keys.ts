import type { ControlApi } from '@postern/control';
import { apiKeys as definition } from '@postern/resources';
import type { Operation } from '../resource/operation.ts';
import { handlersOf, serve } from '../resource/serve.ts';

/** Keys of this API. The token is in the answer of the create call and never again. */
export function apiKeys({ apiKeys: service }: ControlApi): Operation[] {
  return serve(definition, handlersOf(service));
}
