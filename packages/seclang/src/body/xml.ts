/**
 * The texts and attributes of an XML document, which is what rules ask for (`XML:/*`, `XML://@*`). Nothing is resolved,
 * and nothing has to be well-formed: attacks need not be.
 */
import { htmlEntityDecode } from '../transformations/html.ts';
import { Exhausted } from '../run/work.ts';

const MOST_NODES = 2_000;

export interface ReadXml {
  readonly texts: readonly string[];
  readonly attributes: readonly string[];
  readonly problem: string | null;
}

/** @throws Exhausted */
export function parseXml(text: string): ReadXml {
  const texts: string[] = [];
  const attributes: string[] = [];
  let depth = 0;
  let problem: string | null = text.trimStart().startsWith('<') ? null : 'it does not begin with an element';
  for (let at = 0; at < text.length;) {
    const open = text.indexOf('<', at);
    const end = open < 0 ? text.length : open;
    const between = text.slice(at, end);
    if (between.trim() !== '') add(texts, htmlEntityDecode(between));
    if (open < 0) break;
    if (text.startsWith('<![CDATA[', open)) {
      const close = text.indexOf(']]>', open);
      add(texts, text.slice(open + 9, close < 0 ? text.length : close));
      at = close < 0 ? text.length : close + 3;
    } else if (text.startsWith('<!--', open)) {
      at = behind(text, '-->', open);
    } else if (text.startsWith('<?', open)) {
      at = behind(text, '?>', open);
    } else {
      const close = endOfTag(text, open);
      const tag = text.slice(open + 1, close);
      if (close >= text.length) problem ??= 'an element is not closed';
      if (tag.startsWith('/')) depth--;
      else if (!tag.startsWith('!') && !tag.endsWith('/')) depth++;
      if (!tag.startsWith('!')) addAttributes(attributes, tag);
      at = close + 1;
    }
  }
  if (depth !== 0) problem ??= 'elements are not closed';
  return { texts, attributes, problem };
}

function add(to: string[], text: string): void {
  if (to.length >= MOST_NODES) throw new Exhausted(`a document has more than ${MOST_NODES} texts`);
  to.push(text);
}

function behind(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at < 0 ? text.length : at + mark.length;
}

/** The `>` that is not within quotes. */
function endOfTag(text: string, from: number): number {
  let quote = '';
  for (let at = from; at < text.length; at++) {
    const char = text.charAt(at);
    if (quote !== '') {
      if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (char === '>') return at;
  }
  return text.length;
}

function addAttributes(to: string[], tag: string): void {
  for (let at = tag.indexOf('='); at >= 0;) {
    let from = at + 1;
    while (tag.charAt(from) === ' ') from++;
    const quote = tag.charAt(from);
    if (quote !== '"' && quote !== "'") {
      at = tag.indexOf('=', from);
      continue;
    }
    const close = tag.indexOf(quote, from + 1);
    const end = close < 0 ? tag.length : close;
    add(to, htmlEntityDecode(tag.slice(from + 1, end)));
    at = tag.indexOf('=', end);
  }
}
