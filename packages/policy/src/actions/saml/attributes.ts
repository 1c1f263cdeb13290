/** Who an assertion is about, by the names that identity providers give to what they say of people. */
import { attribute, childOf, childrenOf, NS, textOf, type XmlElement } from './xml.ts';

const CLAIMS = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/';
const EMAIL = ['email', 'mail', 'emailaddress', `${CLAIMS}emailaddress`, 'urn:oid:0.9.2342.19200300.100.1.3'];
const NAME = ['displayname', 'name', `${CLAIMS}name`, 'urn:oid:2.16.840.1.113730.3.1.241', 'cn', 'urn:oid:2.5.4.3'];
const GIVEN_NAME = ['firstname', 'givenname', `${CLAIMS}givenname`, 'urn:oid:2.5.4.42'];
const SURNAME = ['lastname', 'surname', 'sn', `${CLAIMS}surname`, 'urn:oid:2.5.4.4'];
const GROUPS = [
  'groups',
  'group',
  'memberof',
  'http://schemas.xmlsoap.org/claims/group',
  'http://schemas.microsoft.com/ws/2008/06/identity/claims/groups',
  'urn:oid:1.3.6.1.4.1.5923.1.5.1.1',
];
const IS_EMAIL = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress';

/** Characters of all groups together: a browser keeps them. */
const MOST_GROUPS = 1_500;

export function personOf(assertion: XmlElement, subject: XmlElement): { subject: string; email: string; name: string } {
  const nameId = childOf(subject, NS.assertion, 'NameID');
  const id = textOf(nameId) ?? '';
  const isAddress = nameId !== null && attribute(nameId, 'Format') === IS_EMAIL;
  const given = `${first(assertion, GIVEN_NAME)} ${first(assertion, SURNAME)}`.trim();
  return {
    subject: id,
    email: first(assertion, EMAIL) || (isAddress ? id : ''),
    name: first(assertion, NAME) || given,
  };
}

/** In the order given, as many as can be kept. */
export function groupsOf(assertion: XmlElement): readonly string[] {
  const groups: string[] = [];
  let size = 0;
  for (const group of new Set(valuesOf(assertion, GROUPS))) {
    size += group.length;
    if (size > MOST_GROUPS) break;
    if (group !== '') groups.push(group.replaceAll(/\p{Cc}/gu, '').toWellFormed());
  }
  return groups;
}

function first(assertion: XmlElement, names: readonly string[]): string {
  for (const name of names) {
    const [value = ''] = valuesOf(assertion, [name]);
    if (value !== '') return value;
  }
  return '';
}

/** @param names in lower case */
function valuesOf(assertion: XmlElement, names: readonly string[]): readonly string[] {
  return childrenOf(assertion, NS.assertion, 'AttributeStatement')
    .flatMap((statement) => childrenOf(statement, NS.assertion, 'Attribute'))
    .filter((one) => names.includes(attribute(one, 'Name').toLowerCase()))
    .flatMap((one) => childrenOf(one, NS.assertion, 'AttributeValue'))
    .map((value) => textOf(value) ?? '');
}
