import type { ControlApi } from '@postern/control';
import { reservedAddrs as definition } from '@postern/resources';
import type { Operation } from '../resource/operation.ts';
import { handlersOf, serve } from '../resource/serve.ts';

/** TCP addresses that an account holds; the server picks host and port. */
export function reservedAddrs({ reservedAddrs: service }: ControlApi): Operation[] {
  return serve(definition, handlersOf(service));
}
