import type { ControlApi } from '@postern/control';
import { managedCertificates as definition } from '@postern/resources';
import type { Operation } from '../resource/operation.ts';
import { serve } from '../resource/serve.ts';

/** What this server keeps certified; and the two things that can be asked of it: renew, check. */
export function managedCertificates({ managedCertificates: service }: ControlApi): Operation[] {
  return serve(definition, {
    list: ({ caller }, page) => service.list(caller, page),
    get: ({ caller }, id) => service.get(caller, id),
    actions: {
      renew: ({ caller }, id) => service.renew(caller, id),
      check: ({ caller }, id) => service.check(caller, id),
    },
  });
}
