/** Content coding negotiation (RFC 9110 §12.5.3) among the codings that this edge can make. */
export type Coding = 'gzip' | 'deflate' | 'br';

/**
 * @param header the visitor's Accept-Encoding, '' when there is none.
 * @param offered in order of preference, which decides between equal weights.
 * @returns null when the body should stay as it is.
 */
export function negotiate(header: string, offered: readonly Coding[]): Coding | null {
  if (header === '') return null;
  const weights = new Map<string, number>();
  for (const part of header.split(',', 50)) {
    const [name = '', ...parameters] = part.split(';');
    const coding = name.trim().toLowerCase();
    if (coding !== '') weights.set(coding === 'x-gzip' ? 'gzip' : coding, weightOf(parameters));
  }
  const rest = weights.get('*') ?? 0;
  let best: Coding | null = null;
  let bestWeight = 0;
  for (const coding of offered) {
    const weight = weights.get(coding) ?? rest;
    if (weight > bestWeight) {
      best = coding;
      bestWeight = weight;
    }
  }
  // A visitor that ranks the plain body above every coding gets it plain.
  return (weights.get('identity') ?? 0) > bestWeight ? null : best;
}

function weightOf(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const match = /^\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*$/i.exec(parameter);
    if (match !== null) return Math.min(1, Number(match[1]));
  }
  return 1;
}
