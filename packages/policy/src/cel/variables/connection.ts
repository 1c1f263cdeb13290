/** `conn.*`, `endpoint.*` and `time.*` (traffic-policy.md §6). */
import { celMap } from '@bufbuild/cel';
import type { CertificateView, ConnView, EndpointView, TlsView } from '../../runtime.ts';
import { listOfStrings, timestamp, type StaticType, type Value } from '../value.ts';
import { STRING, type Shape } from '../shapes.ts';
import { certificateFacts, type NameFacts } from './certificate.ts';
import { ANY_PHASE, insideOf, type Variable } from './variable.ts';

const conn = (name: string, type: StaticType, read: (view: ConnView) => Value): Variable => ({
  name: `conn.${name}`,
  type,
  phases: ANY_PHASE,
  ...insideOf(type),
  get: (scope) => read(scope.context.conn),
});

const endpoint = (name: string, type: StaticType, read: (view: EndpointView) => Value): Variable => ({
  name: `endpoint.${name}`,
  type,
  phases: ANY_PHASE,
  ...insideOf(type),
  get: (scope) => read(scope.context.endpoint),
});

/** A connection without TLS, or a peer without certificate, reads as empty. */
const tls = (name: string, type: StaticType, none: Value, read: (view: TlsView) => Value): Variable => ({
  name: `conn.tls.${name}`,
  type,
  phases: ANY_PHASE,
  ...insideOf(type),
  get(scope) {
    const view = scope.context.conn.tls;
    return view === null ? none : read(view);
  },
});

function leaf(
  side: 'client' | 'server',
  name: string,
  type: StaticType,
  none: Value,
  read: (view: CertificateView) => Value,
): Variable {
  return tls(`${side}.${name}`, type, none, (view) => {
    const presented = view[side];
    return presented === null ? none : read(presented);
  });
}

const NO_LIST: Value = listOfStrings([]);
const EXTENSIONS: Shape = {
  type: 'list',
  item: { type: 'map', key: STRING, fields: { id: STRING, critical: { type: 'bool' }, value: { type: 'bytes' } } },
};
const NO_TIME: Value = timestamp(0);

const NAME_LISTS: readonly (readonly [string, (facts: NameFacts) => readonly string[]])[] = [
  ['country', (facts) => facts.country],
  ['locality', (facts) => facts.locality],
  ['organization', (facts) => facts.organization],
  ['organizational_unit', (facts) => facts.organizationalUnit],
  ['postal_code', (facts) => facts.postalCode],
  ['province', (facts) => facts.province],
  ['street_address', (facts) => facts.streetAddress],
];

function certificate(side: 'client' | 'server'): Variable[] {
  const list = (name: string, read: (view: CertificateView) => readonly string[]): Variable =>
    leaf(side, name, 'list', NO_LIST, (view) => listOfStrings(read(view)));
  const text = (name: string, read: (view: CertificateView) => string): Variable =>
    leaf(side, name, 'string', '', read);
  return [
    text('subject', (view) => view.subject),
    text('subject.common_name', (view) => view.subjectCommonName),
    text('issuer', (view) => view.issuer),
    text('issuer.common_name', (view) => view.issuerCommonName),
    text('serial_number', (view) => view.serialNumber.toLowerCase()),
    text('signature_algorithm', (view) => certificateFacts(view).signatureAlgorithm),
    text('san', (view) => certificateFacts(view).san),
    text('pem', (view) => view.pem),
    list('san.dns_names', (view) => view.sanDnsNames),
    list('san.email_addresses', (view) => certificateFacts(view).emailAddresses),
    list('san.ip_addresses', (view) => certificateFacts(view).ipAddresses),
    list('san.uris', (view) => certificateFacts(view).uris),
    {
      ...leaf(side, 'extensions', 'list', NO_LIST, (view) => certificateFacts(view).extensions),
      shape: EXTENSIONS,
    },
    leaf(side, 'validity.not_before', 'timestamp', NO_TIME, (view) => timestamp(view.notBefore)),
    leaf(side, 'validity.not_after', 'timestamp', NO_TIME, (view) => timestamp(view.notAfter)),
    ...NAME_LISTS.flatMap(([name, read]) => [
      list(`subject.${name}`, (view) => read(certificateFacts(view).subject)),
      list(`issuer.${name}`, (view) => read(certificateFacts(view).issuer)),
    ]),
  ];
}

/** Connections that did not come through a cluster's ingress have no pod: its fields read as empty. */
const NO_POD: readonly Variable[] = [
  ...['id', 'metadata.name', 'metadata.namespace', 'metadata.error_code', 'metadata.error_message'].map((name) =>
    conn(`k8s.pod.${name}`, 'string', () => ''),
  ),
  conn('k8s.pod.metadata.annotations', 'map', () => celMap(new Map<string, string>())),
];

export const CONNECTION_VARIABLES: readonly Variable[] = [
  conn('client_ip', 'string', (view) => view.clientIp),
  conn('client_port', 'int', (view) => BigInt(view.clientPort)),
  conn('server_ip', 'string', (view) => view.serverIp),
  conn('server_port', 'int', (view) => BigInt(view.serverPort)),
  conn('server_region', 'string', (view) => view.serverRegion),
  conn('bytes_in', 'int', (view) => BigInt(view.bytesIn)),
  conn('bytes_out', 'int', (view) => BigInt(view.bytesOut)),
  conn('ts.start', 'timestamp', (view) => timestamp(view.startedAt)),
  // A connection that a rule runs for has not ended.
  conn('ts.end', 'timestamp', () => NO_TIME),
  tls('ja4_fingerprint', 'string', '', (view) => view.ja4Fingerprint),
  tls('sni', 'string', '', (view) => view.sni),
  tls('version', 'string', '', (view) => view.version),
  tls('cipher_suite', 'string', '', (view) => view.cipherSuite),
  tls('negotiated_alpn', 'string', '', (view) => view.negotiatedAlpn),
  tls('session_resumed', 'bool', false, (view) => view.sessionResumed),
  ...certificate('client'),
  ...certificate('server'),
  ...NO_POD,
  endpoint('id', 'string', (view) => view.id),
  endpoint('url', 'string', (view) => view.url),
  endpoint('host', 'string', (view) => view.host),
  endpoint('port', 'int', (view) => BigInt(view.port)),
  endpoint('addr', 'string', (view) => `${view.host}:${view.port}`),
  endpoint('protocol', 'string', (view) => view.proto),
  {
    name: 'time.now',
    type: 'string',
    phases: ANY_PHASE,
    get: (scope) => new Date(scope.context.now()).toISOString(),
  },
];
