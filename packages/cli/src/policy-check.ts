/** What `postern policy check` finds in a policy's text, in the order of the text. */
import { policyProblems, sourcePlaces, type CompileOptions } from '@postern/policy';

export interface Finding {
  readonly line: number;
  readonly column: number;
  /** Of the policy, e.g. `on_http_request[0].actions[1].config.rate`; '' = all of it. */
  readonly path: string;
  /** `ERR_NGROK_<n>` */
  readonly code: string;
  readonly message: string;
}

/** Endpoints that a policy of connection rules alone may belong to. */
const OF_CONNECTIONS = ['https', 'tls', 'tcp'] as const;

/**
 * @param protocol of the endpoint; undefined = not said: one that the policy is right for, if there is one, else https
 */
export function findingsIn(
  source: string,
  protocol: CompileOptions['protocol'] | undefined,
  kind: CompileOptions['kind'],
): Finding[] {
  const candidates = protocol === undefined ? OF_CONNECTIONS : [protocol];
  let first: Finding[] | null = null;
  for (const one of candidates) {
    const findings = findingsFor(source, { protocol: one, binding: 'public', kind });
    if (findings.length === 0) return findings;
    first ??= findings;
  }
  return first ?? [];
}

function findingsFor(source: string, options: CompileOptions): Finding[] {
  const problems = policyProblems(source, options);
  if (problems.length === 0) return [];
  const place = sourcePlaces(source);
  return problems
    .map(({ code, message, params }) => {
      const path = String(params['path'] ?? '');
      return { ...place(path), path, code, message };
    })
    .toSorted((a, b) => a.line - b.line || a.column - b.column);
}
