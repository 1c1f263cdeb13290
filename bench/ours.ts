/** What is measured of one started platform. */
import type { Postern, Shared } from './postern.ts';
import type { Variant } from './variants/variant.ts';

/** A connection for each request: only when they are asked for. */
export function coldOf(variants: readonly Variant[], suffix: string): readonly Variant[] {
  const of = (id: string): Variant | undefined => variants.find((one) => one.id === `${id}${suffix}`);
  const [http, https] = [of('http'), of('https')];
  const made: Variant[] = [];
  const add = (id: string, title: string, base: Variant | undefined, by: 'cold' | 'resumed'): void => {
    if (base !== undefined) made.push({ ...base, id: `${id}${suffix}`, title, target: { ...base.target, by } });
  };
  add('cold-http', 'a connection for each request', http, 'cold');
  add('cold-https', 'a full TLS handshake for each request', https, 'cold');
  add('cold-resumed', 'a resumed TLS session for each request', https, 'resumed');
  return made;
}

/** @param suffix of the ids, where two platforms are measured in one run */
export async function oursOf(postern: Postern, suffix: string): Promise<readonly Variant[]> {
  const cloud = await postern.cloud('bench-cloud');
  const http = await postern.share({ name: 'bench-http', scheme: 'http' });
  const https = await postern.share({ name: 'bench-https', scheme: 'https' });
  const h2: Shared = { ...https, target: { ...https.target, by: 'http2' } };
  return [
    { id: `cloud${suffix}`, title: 'cloud endpoint', ...cloud },
    { id: `http${suffix}`, title: 'http through an agent', ...http },
    { id: `https${suffix}`, title: 'https through an agent', ...https },
    { id: `h2${suffix}`, title: 'HTTP/2 through an agent', ...h2 },
  ];
}
