/** The little of `xml-crypto` that is used, for the reason that `xmldom.d.ts` gives. */
import type { KeyObject } from 'node:crypto';
import type { XmlElement } from './xmldom.d.ts';

export class SignedXml {
  constructor(options: {
    readonly publicCert?: KeyObject;
    readonly getCertFromKeyInfo?: () => null;
    readonly privateKey?: KeyObject;
    readonly signatureAlgorithm?: string;
    readonly canonicalizationAlgorithm?: string;
  });
  loadSignature(signature: XmlElement): void;
  readonly signatureAlgorithm: string;
  readonly signatureValue: string;
  getCanonSignedInfoXml(document: object): string;
  findSignatureAlgorithm(name: string): { verifySignature(signed: string, key: KeyObject, value: string): boolean };
  /** Throws, or answers false, for one that is not right. */
  checkSignature(xml: string): boolean;
  /** The canonical bytes of what was signed. */
  getSignedReferences(): readonly string[];
  addReference(reference: {
    readonly xpath: string;
    readonly transforms: readonly string[];
    readonly digestAlgorithm: string;
  }): void;
  computeSignature(
    xml: string,
    options: { readonly location: { readonly reference: string; readonly action: 'after' | 'append' } },
  ): void;
  getSignedXml(): string;
}
