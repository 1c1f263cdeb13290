/** A provider that has several ways: one of them has to be right. */
import type { Scheme, Verify } from './scheme.ts';

export function either(...schemes: readonly Scheme[]): Scheme {
  return {
    headers: schemes.flatMap(({ headers }) => headers),
    prepare(secret) {
      const ways: Verify[] = [];
      for (const scheme of schemes) {
        const way = scheme.prepare(secret);
        if (typeof way === 'string') return way;
        ways.push(way);
      }
      return (message) => ways.some((way) => way(message));
    },
  };
}
