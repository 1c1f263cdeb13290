/** What the row of a reserved domain has of certificates as long as nobody has said anything. */
export const NO_CERTIFICATE = { certificateId: '', authority: '', privateKeyType: '' } as const;

/** Where the catalog has the domains that name a certificate; no name has a blank. */
export function certificateKey(id: string): string {
  return `certificate ${id}`;
}
