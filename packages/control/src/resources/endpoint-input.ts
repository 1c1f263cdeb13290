import type { Binding } from '@postern/link';
import { fail, isPosternError } from '@postern/errors';
import { accountPolicy } from '../account-policy.ts';
import { apiUrlError } from '../addresses/problems.ts';
import { inferBinding, parseEndpointUrl, placeUrl, type Address } from '../addresses/urls.ts';
import type { Core } from '../core.ts';

/**
 * The address that `url` and `bindings` name. `bindings` absent or empty: inferred from the host.
 * @throws 249, 9038, 15005, 15006, 18001, 18003, 18007, 18018, 18022, 18023, 90023
 */
export function readAddress(core: Core, url: string, bindings: readonly string[] | undefined): Address {
  const parsed = parseEndpointUrl(url);
  if (!parsed.ok) throw apiUrlError(url, parsed.problem);
  const binding = oneBinding(bindings) ?? inferBinding(parsed.value.host);
  const placed = placeUrl(parsed.value, binding, core.config);
  if (!placed.ok) throw apiUrlError(url, placed.problem);
  return placed.value;
}

/** 15005, 15006, 90023; null when none is named. */
export function oneBinding(bindings: readonly string[] | undefined): Binding | null {
  if (bindings === undefined) return null;
  const seen = new Set<Binding>();
  for (const binding of bindings) {
    if (!isBinding(binding)) throw fail(15005, { binding });
    if (seen.has(binding)) throw fail(15006, { binding });
    seen.add(binding);
  }
  if (seen.size > 1) throw fail(90023, { count: seen.size });
  return [...seen][0] ?? null;
}

/** 18011, 18002; the policy's own error becomes the reason. */
export function checkCloudPolicy(core: Core, accountId: string, text: string | undefined, address: Address): string {
  if (text === undefined || text.trim() === '') throw fail(18011);
  try {
    accountPolicy(core, accountId).check(text, { protocol: address.scheme, binding: address.binding, kind: 'cloud' });
  } catch (error) {
    if (!isPosternError(error)) throw error;
    throw fail(18002, { reason: `${error.message} (${error.code})` }, { cause: error });
  }
  return text;
}

function isBinding(text: string): text is Binding {
  return text === 'public' || text === 'internal' || text === 'kubernetes';
}
