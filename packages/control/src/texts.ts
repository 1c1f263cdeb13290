import { fail, type ErrorNumber } from '@postern/errors';
import { camelName, type Resource } from '@postern/resources';

/** Of what agents send; the resources of the API have theirs in their definitions. */
export const DESCRIPTION_BYTES = 255;
export const METADATA_BYTES = 4096;

/** Throws the error `number` when the text has more bytes (UTF-8) than allowed. */
export function checkLength(text: string | undefined, limit: number, number: ErrorNumber, field = ''): void {
  if (text === undefined) return;
  const length = Buffer.byteLength(text);
  if (length > limit) throw fail(number, { field, length, most: limit });
}

/** @throws the error that the definition names for a text which is longer than it allows */
export function checkTexts({ fields }: Resource, input: object): void {
  const given = new Map<string, unknown>(Object.entries(input));
  for (const [name, { options }] of Object.entries(fields)) {
    const text = given.get(camelName(name));
    if (options.most !== undefined && typeof text === 'string') {
      checkLength(text, options.most.bytes, options.most.error, name);
    }
  }
}

/** Whether a PATCH carries no field at all; undefined fields count as absent. */
export function isEmptyPatch(patch: object): boolean {
  return Object.values(patch).every((value) => value === undefined);
}

/** @throws the error that the definition names for an update which changes nothing */
export function refuseEmpty({ emptyUpdate }: Resource, patch: object): void {
  if (emptyUpdate !== undefined && isEmptyPatch(patch)) throw fail(emptyUpdate);
}
