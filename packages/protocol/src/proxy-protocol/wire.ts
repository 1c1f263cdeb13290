/** Constants of PROXY protocol version 2. */

/** Chosen by its authors so that no common protocol starts with it. */
export const SIGNATURE_V2 = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
export const VERSION_2_LOCAL = 0x20;
export const VERSION_2_PROXY = 0x21;
export const FAMILY_TCP4 = 0x11;
export const FAMILY_TCP6 = 0x21;
