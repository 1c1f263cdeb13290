import { X509Certificate } from 'node:crypto';
import type { RenewalInfo } from '../client/client.ts';

/** What is known of a certificate that is served. */
export interface Life {
  /** Unix milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Renewals of many certificates of one day come on several. */
const JITTER = 0.05;

/** @param chain PEM, leaf first */
export function lifeOf(chain: string): Life {
  const { validFromDate, validToDate } = new X509Certificate(chain);
  return { notBefore: validFromDate.getTime(), notAfter: validToDate.getTime() };
}

/** At two thirds of its life, or up to a twentieth before. @param random [0, 1) */
export function renewalOf({ notBefore, notAfter }: Life, random: number): number {
  const life = notAfter - notBefore;
  return Math.round(notBefore + life * (2 / 3 - JITTER * random));
}

/**
 * When to renew as the authority suggests: at a moment of its window, which stays the same while it lies in there (RFC
 * 9773 §4.2). A window that is over means now: it was revoked, or will be.
 */
export function renewalWithin({ start, end }: RenewalInfo, planned: number, now: number, random: number): number {
  if (end <= now) return now;
  if (planned >= start && planned < end) return planned;
  return Math.round(start + (end - start) * random);
}
