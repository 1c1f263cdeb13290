import type { ControlApi } from '@postern/control';
import { reservedDomains as definition } from '@postern/resources';
import type { Operation } from '../resource/operation.ts';
import { handlersOf, serve } from '../resource/serve.ts';

/** Names that an account holds. */
export function reservedDomains({ reservedDomains: service }: ControlApi): Operation[] {
  return serve(definition, handlersOf(service), { certificate: () => null, is_dev: () => false });
}
