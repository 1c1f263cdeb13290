/** What an identity provider answers (SAML Core §3.3.3, Profiles §4.1.4): who somebody is, or why it does not say. */
import { identityOf, type Identity } from '../../logins/session.ts';
import { groupsOf, personOf } from './attributes.ts';
import type { IdentityProvider } from './metadata.ts';
import type { Service } from './request.ts';
import { signedPart } from './signature.ts';
import { allIn, attribute, childOf, childrenOf, isElement, NS, parseXml, textOf, type XmlElement } from './xml.ts';

/** Characters of a response, decoded; what a form may have in base64 follows of it. */
export const MOST_RESPONSE = 96 * 1024;
const BOUNDS = { characters: MOST_RESPONSE, elements: 1_500 };

/** How far clocks may be apart. */
const SKEW_MS = 60_000;
const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';
const SUCCESS = 'urn:oasis:names:tc:SAML:2.0:status:Success';

export interface Assertion {
  readonly id: string;
  readonly identity: Identity;
  readonly groups: readonly string[];
  /** The request that it answers; '' = nobody has asked. */
  readonly inResponseTo: string;
  /** Unix milliseconds: until then it might be shown again. */
  readonly usableUntil: number;
  /** Unix milliseconds: the provider's own session is over then; Infinity = it does not say. */
  readonly sessionUntil: number;
}

export type Answer =
  | { readonly kind: 'known'; readonly assertion: Assertion }
  /** By the provider's own word. */
  | { readonly kind: 'denied' }
  /** Words behind "it". */
  | { readonly kind: 'unusable'; readonly problem: string };

const unusable = (problem: string): Answer => ({ kind: 'unusable', problem });

/** @param now Unix milliseconds */
export function readResponse(text: string, idp: IdentityProvider, service: Service, now: number): Answer {
  const root = parseXml(text, BOUNDS);
  if (typeof root === 'string') return unusable(root);
  if (!isElement(root, NS.protocol, 'Response')) return unusable('is no response of SAML 2.0');
  const destination = attribute(root, 'Destination');
  if (destination !== '' && destination !== service.consumerUrl)
    return unusable('is for another address (Destination)');
  const status = statusOf(root);
  if (status !== SUCCESS) return status === '' ? unusable('has no status') : { kind: 'denied' };
  const assertion = childOf(root, NS.assertion, 'Assertion');
  if (assertion === null) {
    const sealed = childrenOf(root, NS.assertion, 'EncryptedAssertion').length > 0;
    return unusable(sealed ? 'is encrypted, and there is no key for it' : 'has no assertion, or more than one');
  }
  // Any other one would be there to be read in place of the one that is signed.
  if (allIn(root, NS.assertion, 'Assertion').length !== 1 || allIn(root, NS.protocol, 'Response').length !== 1) {
    return unusable('has more than one assertion');
  }
  const signed = signedPart(text, root, [root, assertion], idp.keys, BOUNDS);
  if ('problem' in signed) return unusable(signed.problem);
  const read = isElement(signed, NS.assertion, 'Assertion') ? signed : childOf(signed, NS.assertion, 'Assertion');
  if (read === null) return unusable('has no assertion, or more than one');
  return readAssertion(read, idp, service, now);
}

function statusOf(root: XmlElement): string {
  const status = childOf(root, NS.protocol, 'Status');
  const code = status === null ? null : childOf(status, NS.protocol, 'StatusCode');
  return code === null ? '' : attribute(code, 'Value');
}

/** Of the bytes that are signed. */
function readAssertion(assertion: XmlElement, idp: IdentityProvider, service: Service, now: number): Answer {
  const id = attribute(assertion, 'ID');
  if (attribute(assertion, 'Version') !== '2.0' || id === '' || id.length > 256)
    return unusable('is not of version 2.0');
  if (textOf(childOf(assertion, NS.assertion, 'Issuer')) !== idp.entityId) return unusable('is of another issuer');
  const wrong = conditionsProblem(assertion, service, now);
  if (wrong !== null) return unusable(wrong);
  const subject = childOf(assertion, NS.assertion, 'Subject');
  const confirmation = subject === null ? null : confirmedBy(subject, service, now);
  if (subject === null || confirmation === null) {
    return unusable('is not for this address, or not any more (SubjectConfirmationData)');
  }
  const [statement] = childrenOf(assertion, NS.assertion, 'AuthnStatement');
  if (statement === undefined) return unusable('does not say that somebody has logged in (AuthnStatement)');
  const ends = attribute(statement, 'SessionNotOnOrAfter');
  const sessionUntil = ends === '' ? Infinity : timeOf(ends);
  if (sessionUntil === null || now >= sessionUntil + SKEW_MS) return unusable('is of a session that is over');
  const person = personOf(assertion, subject);
  const identity = identityOf(person.subject, person.email, person.name);
  if (identity === null) return unusable('names nobody (NameID)');
  const { inResponseTo, until } = confirmation;
  const groups = groupsOf(assertion);
  return {
    kind: 'known',
    assertion: { id, identity, groups, inResponseTo, usableUntil: until + SKEW_MS, sessionUntil },
  };
}

function conditionsProblem(assertion: XmlElement, service: Service, now: number): string | null {
  const conditions = childOf(assertion, NS.assertion, 'Conditions');
  if (conditions === null) return 'has no conditions, or several';
  const after = attribute(conditions, 'NotBefore');
  const before = attribute(conditions, 'NotOnOrAfter');
  const from = after === '' ? -Infinity : timeOf(after);
  const until = before === '' ? Infinity : timeOf(before);
  if (from === null || until === null) return 'has a time that does not parse';
  if (now < from - SKEW_MS) return 'is not valid yet';
  if (now >= until + SKEW_MS) return 'has expired';
  const restrictions = childrenOf(conditions, NS.assertion, 'AudienceRestriction');
  const isMeant = (restriction: XmlElement): boolean =>
    childrenOf(restriction, NS.assertion, 'Audience').some((one) => textOf(one) === service.entityId);
  // Each of them has to be met (SAML Core §2.5.1.4).
  return restrictions.length > 0 && restrictions.every(isMeant) ? null : 'is for another audience';
}

/** SAML Profiles §4.1.4.2. */
function confirmedBy(
  subject: XmlElement,
  { consumerUrl }: Service,
  now: number,
): { readonly inResponseTo: string; readonly until: number } | null {
  for (const confirmation of childrenOf(subject, NS.assertion, 'SubjectConfirmation')) {
    const data = childOf(confirmation, NS.assertion, 'SubjectConfirmationData');
    if (attribute(confirmation, 'Method') !== BEARER || data === null) continue;
    const until = timeOf(attribute(data, 'NotOnOrAfter'));
    const early = attribute(data, 'NotBefore') !== '';
    if (until === null || early || now >= until + SKEW_MS || attribute(data, 'Recipient') !== consumerUrl) continue;
    return { inResponseTo: attribute(data, 'InResponseTo'), until };
  }
  return null;
}

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z$/;

/** UTC (SAML Core §1.3.3). @returns Unix milliseconds; null = it is no time */
function timeOf(text: string): number | null {
  const ms = TIME.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}
