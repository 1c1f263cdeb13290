import type { Numbers } from '@postern/acme';
import type { Metric } from './exposition.ts';

/** How orders of certificates go. No names: a tenant reserves as many as it likes. */
export function acmeMetrics({ served, missing, soonestEnd, issued, failed }: Numbers): readonly Metric[] {
  return [
    {
      name: 'postern_acme_certificates',
      kind: 'gauge',
      help: 'Names that certificates are ordered for, with one that is served and without',
      samples: [
        { labels: { state: 'served' }, value: served },
        { labels: { state: 'missing' }, value: missing },
      ],
    },
    {
      name: 'postern_acme_soonest_not_after_seconds',
      kind: 'gauge',
      help: 'When the first of the ordered certificates that are served ends, Unix time',
      samples: soonestEnd === null ? [] : [{ value: soonestEnd / 1000 }],
    },
    {
      name: 'postern_acme_issued_total',
      kind: 'counter',
      help: 'Certificates issued since the start',
      samples: [{ value: issued }],
    },
    {
      name: 'postern_acme_failed_total',
      kind: 'counter',
      help: 'Tries that came to nothing since the start, by reason',
      samples: Array.from(failed, ([code, value]) => ({ labels: { code }, value })),
    },
  ];
}
