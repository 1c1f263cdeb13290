/** Fields that many resources share. */
import { id, text, time, uri } from './field.ts';

const DESCRIPTION_BYTES = 255;
const METADATA_BYTES = 4_096;

export const ID = id('Its id.');
export const URI = uri('Its absolute address.');
export const CREATED_AT = time('When it was made.');

/** @param error the number of the error that says the text is too long */
export function description<const E extends number>(error: E) {
  return text('What it is, for people.', {
    in: 'both',
    out: 'left-out',
    most: { bytes: DESCRIPTION_BYTES, error },
  });
}

/** @param error the number of the error that says the text is too long */
export function metadata<const E extends number>(error: E) {
  return text('Any text of yours, kept as it is.', {
    in: 'both',
    out: 'left-out',
    most: { bytes: METADATA_BYTES, error },
  });
}
