/** The way to the identity provider (SAML Core §3.4.1; Bindings §3.4 and §3.5), and what this service says of itself. */
import { deflateRawSync } from 'node:zlib';
import type { Outcome } from '../../runtime.ts';
import { sendTo } from '../../logins/start.ts';
import type { IdentityProvider } from './metadata.ts';
import { escapeXml, NS } from './xml.ts';

/** One endpoint, as an identity provider knows it. */
export interface Service {
  readonly entityId: string;
  /** Where responses are posted to. */
  readonly consumerUrl: string;
}

const POST = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST';
const DECLARED = '<?xml version="1.0" encoding="UTF-8"?>\n';

export interface Asking {
  readonly id: string;
  /** Unix milliseconds. */
  readonly at: number;
  /** The visitor shall be asked for the password again. */
  readonly again: boolean;
  readonly nameIdFormat: string;
}

export function authnRequest({ entityId, consumerUrl }: Service, idp: IdentityProvider, asking: Asking): string {
  const at = new Date(asking.at).toISOString().replace(/\.\d{3}Z$/, 'Z');
  const attributes = [
    ['ID', asking.id],
    ['Version', '2.0'],
    ['IssueInstant', at],
    ['Destination', idp.url],
    ['AssertionConsumerServiceURL', consumerUrl],
    ['ProtocolBinding', POST],
    ...(asking.again ? [['ForceAuthn', 'true']] : []),
  ];
  const written = attributes.map(([name, value = '']) => `${name}="${escapeXml(value)}"`).join(' ');
  return (
    `<samlp:AuthnRequest xmlns:samlp="${NS.protocol}" xmlns:saml="${NS.assertion}" ${written}>` +
    `<saml:Issuer>${escapeXml(entityId)}</saml:Issuer>` +
    `<samlp:NameIDPolicy Format="${escapeXml(asking.nameIdFormat)}" AllowCreate="true"/></samlp:AuthnRequest>`
  );
}

/** @param cookies Set-Cookie lines */
export function askProvider(request: string, idp: IdentityProvider, cookies: readonly string[]): Outcome {
  if (idp.binding === 'post') return formFor(request, idp.url, cookies);
  const url = new URL(idp.url);
  url.searchParams.set('SAMLRequest', deflateRawSync(request).toString('base64'));
  return sendTo(url.href, cookies);
}

function formFor(request: string, url: string, cookies: readonly string[]): Outcome {
  const value = Buffer.from(request).toString('base64');
  const body = Buffer.from(
    '<!doctype html>\n<meta charset="utf-8"><title>Logging in</title>\n' +
      `<form method="post" action="${escapeXml(url)}"><input type="hidden" name="SAMLRequest" value="${value}">` +
      '<noscript><button>Go on to log in</button></noscript></form>\n<script>document.forms[0].submit()</script>\n',
  );
  const headers: (readonly [string, string])[] = [
    ['content-type', 'text/html; charset=utf-8'],
    ['cache-control', 'no-store'],
    ['referrer-policy', 'no-referrer'],
  ];
  for (const line of cookies) headers.push(['set-cookie', line]);
  return { kind: 'respond', status: 200, headers, body };
}

/** SAML Metadata §2.4.4. */
export function serviceMetadata({ entityId, consumerUrl }: Service, nameIdFormat: string): Outcome {
  const body = Buffer.from(
    `${DECLARED}<md:EntityDescriptor xmlns:md="${NS.metadata}" entityID="${escapeXml(entityId)}">` +
      `<md:SPSSODescriptor protocolSupportEnumeration="${NS.protocol}" AuthnRequestsSigned="false" WantAssertionsSigned="true">` +
      `<md:NameIDFormat>${escapeXml(nameIdFormat)}</md:NameIDFormat>` +
      `<md:AssertionConsumerService Binding="${POST}" Location="${escapeXml(consumerUrl)}" index="0" isDefault="true"/>` +
      '</md:SPSSODescriptor></md:EntityDescriptor>\n',
  );
  return { kind: 'respond', status: 200, headers: [['content-type', 'application/samlmetadata+xml']], body };
}
