/** Fields that many resources share. */
import type { ErrorNumber } from '@postern/errors';
import { id, text, time, uri, type Problem } from './field.ts';

const DESCRIPTION_BYTES = 255;
const METADATA_BYTES = 4_096;

/** Of what is named by people and by policies. */
export const NAME_BYTES = 255;
const NAME = /^[\w/.-]*$/;

export const ID = id('Its id.');
export const URI = uri('Its absolute address.');
export const CREATED_AT = time('When it was made.');

/** Why users are named by their ids alone. */
export const NO_MAIL = 'users have no mail addresses here; use owner_id';
export const NO_DIRECTORY = 'users come from no directory here; use owner_id';

/**
 * Published answers leave an empty one out, or always have it, by resource.
 * @param error the number of the error that says the text is too long
 */
export function description<const E extends ErrorNumber, const O extends 'kept' | 'left-out' = 'left-out'>(
  error: E,
  out?: O,
) {
  return text('What it is, for people.', {
    in: 'both',
    // oxlint-disable-next-line no-unsafe-type-assertion -- absent means the default of the type
    out: out ?? ('left-out' as O),
    most: { bytes: DESCRIPTION_BYTES, error },
  });
}

/** @param error the number of the error that says the text is too long */
export function metadata<const E extends ErrorNumber, const O extends 'kept' | 'left-out' = 'left-out'>(
  error: E,
  out?: O,
) {
  return text('Any text of yours, kept as it is.', {
    in: 'both',
    // oxlint-disable-next-line no-unsafe-type-assertion -- absent means the default of the type
    out: out ?? ('left-out' as O),
    most: { bytes: METADATA_BYTES, error },
  });
}

/** @param error the number of the error that says which characters a name may have */
export function nameCheck(error: ErrorNumber) {
  return (name: string): Problem | null => (NAME.test(name) ? null : { error, params: { name } });
}
