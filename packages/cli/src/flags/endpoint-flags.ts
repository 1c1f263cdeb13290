/** Flags that say what an endpoint is (agent-and-ux.md §1.2), as they are spelled today. */
import { BINDINGS } from '@postern/link';
import type { Flag } from './flag.ts';

export const ENDPOINT_FLAGS: readonly Flag[] = [
  {
    name: 'url',
    value: 'url',
    help: 'public URL wanted (http: https unless it says http://); chosen by the server if absent',
  },
  { name: 'name', value: 'name', help: 'name shown by the API (default: command_line)' },
  { name: 'description', value: 'text', help: 'description shown by the API' },
  { name: 'metadata', value: 'text', help: 'opaque text shown by the API, at most 4096 bytes' },
  {
    name: 'binding',
    value: 'binding',
    choices: BINDINGS,
    help: 'who may reach it (default: public, internal for *.internal)',
  },
  { name: 'pooling-enabled', help: 'share the URL with other agents that say so too' },
  { name: 'traffic-policy-file', value: 'file', help: 'traffic policy, YAML or JSON' },
  { name: 'traffic-policy-url', value: 'url', help: 'the same, fetched once at the start' },
  { name: 'inspect', protos: ['http'], help: 'keep requests for the inspector (default: true)' },
  { name: 'qr', help: 'show the URL as a QR code, too' },
  {
    name: 'upstream-protocol',
    value: 'protocol',
    choices: ['http1', 'http2'],
    protos: ['http'],
    help: 'what the service speaks',
  },
  {
    name: 'upstream-proxy-protocol',
    value: 'version',
    choices: ['1', '2'],
    help: 'PROXY protocol header that the service wants',
  },
  { name: 'upstream-tls-verify', protos: ['http', 'tls'], help: 'check the certificate of an https or tls service' },
  {
    name: 'upstream-tls-verify-cas',
    value: 'file',
    protos: ['http', 'tls'],
    help: 'authority (PEM) to check it against',
  },
  { name: 'cidr-allow', value: 'cidr', many: 'commas', protos: ['tcp', 'tls'], help: 'addresses that may connect' },
  { name: 'cidr-deny', value: 'cidr', many: 'commas', protos: ['tcp', 'tls'], help: 'addresses that may not' },
  {
    name: 'crt',
    value: 'file',
    protos: ['tls'],
    help: 'end TLS at the server with this certificate (PEM); needs --key',
  },
  { name: 'key', value: 'file', protos: ['tls'], help: 'key of --crt (PEM)' },
  {
    name: 'mutual-tls-cas',
    value: 'file',
    protos: ['tls'],
    help: 'authorities (PEM) of which visitors must have a certificate',
  },
];
