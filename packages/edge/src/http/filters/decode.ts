/** An answer's body on its way through what undoes a Content-Encoding, each piece as it comes. */
import { CODINGS, type FilterMaker } from '@postern/policy';
import { ONE_PIECE, transformedBy } from './transformed.ts';

/** @param coding one of those that `codingsOf` knows */
export function decoderOf(coding: string): FilterMaker {
  const make = CODINGS[coding];
  if (make === undefined) throw new Error(`nothing undoes ${coding}`);
  return transformedBy(() => make({ chunkSize: 16_384, ...ONE_PIECE }));
}
