/** What is measured of one started platform. */
import type { Variant } from './lineup.ts';
import type { Postern } from './postern.ts';

/** @param suffix of the ids, where two platforms are measured in one run */
export function oursOf(
  { cloud, http, https, server, httpAgent, httpsAgent }: Postern,
  suffix: string,
): readonly Variant[] {
  return [
    { id: `cloud${suffix}`, title: 'cloud endpoint', target: cloud, measured: [server] },
    { id: `http${suffix}`, title: 'http through an agent', target: http, measured: [server, httpAgent] },
    { id: `https${suffix}`, title: 'https through an agent', target: https, measured: [server, httpsAgent] },
    {
      id: `h2${suffix}`,
      title: 'HTTP/2 through an agent',
      target: { ...https, http2: true },
      measured: [server, httpsAgent],
    },
  ];
}
