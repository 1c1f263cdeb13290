import type { ControlApi } from '@postern/control';
import { tunnelGroupBackends as definition } from '@postern/resources';
import type { Operation } from '../resource/operation.ts';
import { handlersOf, serve } from '../resource/serve.ts';

/** What an edge forwards to: every online labelled tunnel that has all of these labels. */
export function tunnelGroupBackends({ tunnelGroupBackends: service }: ControlApi): Operation[] {
  return serve(definition, handlersOf(service));
}
