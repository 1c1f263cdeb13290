import { fail, type ErrorNumber } from '@postern/errors';

export const DESCRIPTION_BYTES = 255;
export const METADATA_BYTES = 4096;

/** Throws the error `number` when the text has more bytes (UTF-8) than allowed. */
export function checkLength(text: string | undefined, limit: number, number: ErrorNumber): void {
  if (text === undefined) return;
  const length = Buffer.byteLength(text);
  if (length > limit) throw fail(number, { length });
}

/** Whether a PATCH carries no field at all; undefined fields count as absent. */
export function isEmptyPatch(patch: object): boolean {
  return Object.values(patch).every((value) => value === undefined);
}
