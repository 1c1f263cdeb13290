/** The little of `@xmldom/xmldom` that is used. Its own types bring those of browsers into every file of this repository. */
export interface XmlNode {
  readonly nodeType: number;
  readonly ELEMENT_NODE: number;
  readonly nextSibling: XmlNode | null;
  readonly parentNode: XmlNode | null;
}

export interface XmlElement extends XmlNode {
  readonly namespaceURI: string | null;
  readonly localName: string;
  readonly firstChild: XmlNode | null;
  readonly textContent: string | null;
  /** '' where there is none. */
  getAttribute(name: string): string;
  getElementsByTagNameNS(namespace: string, name: string): ArrayLike<XmlElement>;
}

type Report = (message: string) => void;

export class DOMParser {
  constructor(options: {
    readonly errorHandler: { readonly warning: Report; readonly error: Report; readonly fatalError: Report };
  });
  parseFromString(text: string, type: 'text/xml'): { readonly documentElement: XmlElement | null };
}
