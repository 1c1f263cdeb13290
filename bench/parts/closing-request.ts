/** The one request of a visitor who comes once. */
import { encodeRequestHead } from '@postern/protocol';
import type { LoadTarget } from '../load.ts';

export function closingRequest({
  path,
  hostHeader,
  headers = [],
}: Pick<LoadTarget, 'path' | 'hostHeader' | 'headers'>): Buffer {
  return encodeRequestHead('GET', path, ['Host', hostHeader, 'Connection', 'close', ...headers]);
}
