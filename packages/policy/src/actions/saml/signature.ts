/**
 * Signatures of XML (XML Signature 1.1, in the profile of SAML Core §5.4), checked so that what was verified is what is
 * read: a reader gets the very bytes whose digest was signed, parsed anew, and never the document around them.
 */
import type { KeyObject } from 'node:crypto';
import { SignedXml } from 'xml-crypto';
import {
  allIn,
  attribute,
  childOf,
  childrenOf,
  elementsIn,
  isElement,
  NS,
  parseXml,
  textOf,
  type XmlBounds,
  type XmlElement,
} from './xml.ts';

const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';
const SIGNATURES: ReadonlySet<string> = new Set([
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
  'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1',
]);
const DIGESTS: ReadonlySet<string> = new Set([
  'http://www.w3.org/2001/04/xmlenc#sha256',
  'http://www.w3.org/2001/04/xmlenc#sha512',
]);

/** A problem, as words behind "it". */
export interface Unsigned {
  readonly problem: string;
}

const wrong = (problem: string): Unsigned => ({ problem });

/**
 * What one of the keys has signed of a message: the message itself, else its assertion.
 * @param text the message
 * @param root the same, parsed
 * @param candidates the elements that may be signed, the one to read first at the front
 * @returns the element, of a document that has nothing else in it
 */
export function signedPart(
  text: string,
  root: XmlElement,
  candidates: readonly XmlElement[],
  keys: readonly KeyObject[],
  bounds: XmlBounds,
): XmlElement | Unsigned {
  const signatures = allIn(root, NS.signature, 'Signature');
  const parents = candidates.filter((one) => childrenOf(one, NS.signature, 'Signature').length > 0);
  if (signatures.length === 0) return wrong('is not signed');
  // One that stands anywhere else says nothing of what is read, and is where forgeries keep what was signed once.
  if (signatures.length !== parents.length)
    return wrong('has a signature that is not of the response or its assertion');
  let found: XmlElement | null = null;
  for (const parent of parents) {
    const signed = verified(text, parent, keys, bounds);
    if ('problem' in signed) return signed;
    found ??= signed;
  }
  return found ?? wrong('is not signed');
}

function verified(
  text: string,
  parent: XmlElement,
  keys: readonly KeyObject[],
  bounds: XmlBounds,
): XmlElement | Unsigned {
  const signature = childOf(parent, NS.signature, 'Signature');
  const id = attribute(parent, 'ID');
  if (signature === null) return wrong('is signed more than once');
  const odd = oddity(signature, id);
  if (odd !== null) return wrong(odd);
  const bytes = signedBytes(text, signature, keys);
  if (bytes === null) return wrong('is not signed by a key of the identity provider, or was changed afterwards');
  const read = parseXml(bytes, bounds);
  if (typeof read === 'string') return wrong(read);
  if (!isElement(read, parent.namespaceURI ?? '', parent.localName) || attribute(read, 'ID') !== id) {
    return wrong('has a signature of something else');
  }
  return read;
}

/** What a signature has to look like, to the last element: no room for anything that one reader sees and another does not. */
function oddity(signature: XmlElement, id: string): string | null {
  const parts = elementsIn(signature).map(({ localName }) => localName);
  if (!['SignedInfo SignatureValue', 'SignedInfo SignatureValue KeyInfo'].includes(parts.join(' '))) {
    return 'has a signature of an unknown form';
  }
  const info = childOf(signature, NS.signature, 'SignedInfo');
  const value = textOf(childOf(signature, NS.signature, 'SignatureValue'));
  if (info === null || value === null || value === '') return 'has a signature of an unknown form';
  if (
    elementsIn(info)
      .map(({ localName }) => localName)
      .join(' ') !== 'CanonicalizationMethod SignatureMethod Reference'
  ) {
    return 'has a signature of more than one thing';
  }
  const [canonical, method, reference] = elementsIn(info);
  if (canonical === undefined || method === undefined || reference === undefined)
    return 'has a signature of an unknown form';
  if (attribute(canonical, 'Algorithm') !== EXCLUSIVE) return 'is signed in a form that is not exclusive';
  if (!SIGNATURES.has(attribute(method, 'Algorithm')))
    return 'is signed by an algorithm that is not taken (RSA with SHA-256 is)';
  if (id === '' || attribute(reference, 'URI') !== `#${id}`) return 'has a signature of something else';
  const digest = childOf(reference, NS.signature, 'DigestMethod');
  if (digest === null || !DIGESTS.has(attribute(digest, 'Algorithm'))) {
    return 'has a digest by an algorithm that is not taken (SHA-256 is)';
  }
  const transforms = childOf(reference, NS.signature, 'Transforms');
  const algorithms = transforms === null ? [] : elementsIn(transforms).map((one) => attribute(one, 'Algorithm'));
  return algorithms.join(' ') === `${ENVELOPED} ${EXCLUSIVE}` ? null : 'is signed behind transforms that are not taken';
}

/**
 * The signature is looked at first, and the message that it is of only when a key has made it: what strangers post costs
 * nothing more.
 * @returns null when none of the keys has signed it
 */
function signedBytes(text: string, signature: XmlElement, keys: readonly KeyObject[]): string | null {
  for (const key of keys) {
    const check = new SignedXml({ publicCert: key, getCertFromKeyInfo: () => null });
    try {
      check.loadSignature(signature);
      const info = check.getCanonSignedInfoXml(signature);
      const method = check.findSignatureAlgorithm(check.signatureAlgorithm);
      if (!method.verifySignature(info, key, check.signatureValue) || !check.checkSignature(text)) continue;
    } catch {
      continue;
    }
    const [bytes, ...others] = check.getSignedReferences();
    if (bytes !== undefined && others.length === 0) return bytes;
  }
  return null;
}
