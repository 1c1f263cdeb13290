/** What a policy names that its account must have: found by what the descriptors of its actions say of their fields. */
import { REFERENCE_PREFIXES, type ActionFacts, type ReferenceKind } from './actions/descriptor.ts';
import type { ActionEntry } from './schema/document.ts';

export interface PolicyReference {
  readonly kind: ReferenceKind;
  readonly id: string;
  /** e.g. `on_http_request[0].actions[1].config.ip_policies[0]`. */
  readonly path: string;
}

/** @param entry its config has been read, so that what is in it has the kinds that it should */
export function referencesOf({ references = {} }: ActionFacts, { path, config }: ActionEntry): PolicyReference[] {
  const found: PolicyReference[] = [];
  for (const [field, kind] of Object.entries(references)) {
    const written = config[field];
    for (const [index, id] of (Array.isArray(written) ? written : [written]).entries()) {
      if (typeof id !== 'string' || !id.trim().startsWith(REFERENCE_PREFIXES[kind])) continue;
      found.push({ kind, id: id.trim(), path: `${path}.config.${field}[${index}]` });
    }
  }
  return found;
}
