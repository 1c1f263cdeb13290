/**
 * XML of strangers, parsed within bounds and without what SAML has no use for: no document type (and so no entities), no
 * processing instructions, no comments and no CDATA. A signature covers none of these as they are written, and between two
 * readers of them there is always room for a forgery.
 */
import { DOMParser, type XmlElement, type XmlNode } from '@xmldom/xmldom';

export type { XmlElement };

export const NS = {
  assertion: 'urn:oasis:names:tc:SAML:2.0:assertion',
  protocol: 'urn:oasis:names:tc:SAML:2.0:protocol',
  metadata: 'urn:oasis:names:tc:SAML:2.0:metadata',
  signature: 'http://www.w3.org/2000/09/xmldsig#',
} as const;

export interface XmlBounds {
  readonly characters: number;
  readonly elements: number;
}

const MOST_DEPTH = 40;
/** Of a document as it is written; each costs every element below it, and each attribute those of its element. */
const MOST_NAMESPACES = 300;
const MOST_ATTRIBUTES = 5_000;

/** @returns its root; what is wrong with it, as words behind "it" */
export function parseXml(text: string, bounds: XmlBounds): XmlElement | string {
  const problem = boundsProblem(text, bounds);
  if (problem !== null) return problem;
  let failed = false;
  const fail = (): void => {
    failed = true;
  };
  try {
    const parser = new DOMParser({ errorHandler: { warning: fail, error: fail, fatalError: fail } });
    const root = parser.parseFromString(text, 'text/xml').documentElement;
    return failed || root === null ? 'is no well-formed XML' : root;
  } catch {
    return 'is no well-formed XML';
  }
}

/** Looked at before anything is built of it. */
function boundsProblem(text: string, { characters, elements }: XmlBounds): string | null {
  if (text.length > characters) return `is longer than ${characters} characters`;
  const body = text.replace(/^\uFEFF?\s{0,100}<\?xml [^<>?]{0,200}\?>/, '');
  if (body.includes('<!') || body.includes('<?')) {
    return 'has a document type, a comment, CDATA or a processing instruction, none of which is read';
  }
  if (body.split('xmlns').length - 1 > MOST_NAMESPACES) return `declares more than ${MOST_NAMESPACES} namespaces`;
  if (body.split('=').length - 1 > MOST_ATTRIBUTES) return `has more than ${MOST_ATTRIBUTES} attributes`;
  let depth = 0;
  let count = 0;
  for (let at = body.indexOf('<'); at !== -1; at = body.indexOf('<', at + 1)) {
    if (body[at + 1] === '/') {
      depth--;
      continue;
    }
    const end = body.indexOf('>', at);
    if (end === -1) return 'is no well-formed XML';
    // An attribute may hold ">", which only makes this count too many.
    if (body[end - 1] !== '/') depth++;
    count++;
    if (count > elements) return `has more than ${elements} elements`;
    if (depth > MOST_DEPTH) return `is nested deeper than ${MOST_DEPTH} levels`;
  }
  return null;
}

/** Elements among the children, of one name. */
export function childrenOf(parent: XmlElement, namespace: string, name: string): readonly XmlElement[] {
  return elementsIn(parent).filter((one) => one.namespaceURI === namespace && one.localName === name);
}

/** null where there is none, or more than one. */
export function childOf(parent: XmlElement, namespace: string, name: string): XmlElement | null {
  const [only, ...others] = childrenOf(parent, namespace, name);
  return only === undefined || others.length > 0 ? null : only;
}

export function elementsIn(parent: XmlElement): readonly XmlElement[] {
  const found: XmlElement[] = [];
  for (let node = parent.firstChild; node !== null; node = node.nextSibling) {
    if (isElementNode(node)) found.push(node);
  }
  return found;
}

function isElementNode(node: XmlNode): node is XmlElement {
  return node.nodeType === node.ELEMENT_NODE;
}

/** What an element stands in. */
export function parentOf({ parentNode: parent }: XmlElement): XmlElement | null {
  return parent !== null && isElementNode(parent) ? parent : null;
}

/** Of one name, anywhere in it and it itself. */
export function allIn(root: XmlElement, namespace: string, name: string): readonly XmlElement[] {
  const below = Array.from(root.getElementsByTagNameNS(namespace, name));
  return root.namespaceURI === namespace && root.localName === name ? [root, ...below] : below;
}

export function isElement(element: XmlElement, namespace: string, name: string): boolean {
  return element.namespaceURI === namespace && element.localName === name;
}

/** All text of an element that holds nothing else, without blanks around it; null otherwise. */
export function textOf(element: XmlElement | null): string | null {
  if (element === null || elementsIn(element).length > 0) return null;
  return (element.textContent ?? '').trim();
}

export function attribute(element: XmlElement, name: string): string {
  return element.getAttribute(name);
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** For texts and for attributes in double quotes. */
export function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => ESCAPES[character] ?? '');
}
