import { urlDecode } from '../transformations/url.ts';
import { addEntry, type Entry } from './parts.ts';

/** Query strings and forms. @throws Exhausted */
export function parseUrlEncoded(text: string): Entry[] {
  const entries: Entry[] = [];
  for (let from = 0; from < text.length;) {
    const and = text.indexOf('&', from);
    const end = and < 0 ? text.length : and;
    const piece = text.slice(from, end);
    from = end + 1;
    if (piece === '') continue;
    const equals = piece.indexOf('=');
    if (equals < 0) addEntry(entries, urlDecode(piece), '');
    else addEntry(entries, urlDecode(piece.slice(0, equals)), urlDecode(piece.slice(equals + 1)));
  }
  return entries;
}
