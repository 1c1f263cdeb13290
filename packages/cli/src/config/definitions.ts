/** Tunnels (version 2) and endpoints (version 3) of files and of the local API, as what the agent is asked for. */
import path from 'node:path';
import { defined } from '../defined.ts';
import { bindTlsSchemes } from '../endpoints/from-flags.ts';
import type { Login, OlderOptions } from '../endpoints/older-options.ts';
import type { Proto } from '../proto.ts';
import type { EndpointOptions } from '../share-options.ts';
import { UsageError } from '../usage-error.ts';
import type { Kind } from './kinds.ts';
import type { endpointDefinition, tunnelDefinition } from './schema.ts';

type Read<K> = K extends Kind<infer T> ? T : never;
export type TunnelEntry = Read<typeof tunnelDefinition>;
export type EndpointEntry = Read<typeof endpointDefinition>;

/** One endpoint to start, by its name. */
export interface Definition {
  readonly proto: Proto;
  readonly target: string;
  readonly options: EndpointOptions;
}

/** @param folder that file names in it are meant from. @throws UsageError */
export function tunnelOf(name: string, entry: TunnelEntry, folder: string): Definition {
  const refuse = (words: string): UsageError => new UsageError(`The tunnel ${name} ${words}`);
  const { addr, labels } = entry;
  if (addr === undefined) throw refuse('has no addr.');
  const proto = entry.proto ?? 'http';
  if (proto !== 'http' && proto !== 'https' && proto !== 'tcp' && proto !== 'tls')
    throw refuse(`has the proto ${proto}; it is http, tcp or tls.`);
  const file = (text: string | undefined): string | undefined => fileIn(folder, text);
  const policy = entry.traffic_policy ?? entry.policy;
  const older = olderOf(entry, file);
  const isWeb = proto === 'http' || proto === 'https';
  const schemes = isWeb ? schemesOf(entry, refuse) : undefined;
  const host = entry.domain ?? entry.hostname;
  return {
    proto: proto === 'https' ? 'http' : proto,
    target: addr,
    options: defined({
      name,
      url:
        entry.url ??
        (entry.remote_addr === undefined ? undefined : remoteUrl(entry.remote_addr)) ??
        (host === undefined || schemes?.length !== 1 ? host : `${schemes[0]}://${host}`),
      subdomain: entry.subdomain,
      schemes: schemes ?? (proto === 'https' ? (['https'] as const) : undefined),
      labels: labels === undefined ? undefined : labelsOf(labels, refuse),
      description: entry.description,
      metadata: entry.metadata,
      binding: entry.binding ?? entry.bindings?.[0],
      poolingEnabled: entry.pooling_enabled,
      trafficPolicy: policy === undefined ? undefined : policyText(policy),
      trafficPolicyFile: file(entry.traffic_policy_file),
      inspect: entry.inspect,
      upstreamProtocol: protocolOf(entry.app_protocol, refuse),
      upstreamProxyProtocol: proxyOf(entry.proxy_proto, refuse),
      crt: file(entry.crt),
      key: file(entry.key),
      terminateAt: entry.terminate_at,
      mutualTlsCas: isWeb ? undefined : file(entry.mutual_tls_cas),
      older: Object.keys(older).length === 0 ? undefined : older,
    }),
  };
}

/** @throws UsageError */
export function endpointOf(entry: EndpointEntry, folder: string): Definition {
  const { name, upstream, agent_tls_termination: termination } = entry;
  if (name === undefined) throw new UsageError('An endpoint has no name.');
  const refuse = (words: string): UsageError => new UsageError(`The endpoint ${name} ${words}`);
  const target = upstream?.url;
  if (upstream === undefined || target === undefined) throw refuse('has no upstream.url.');
  const file = (text: string | undefined): string | undefined => fileIn(folder, text);
  const url = entry.url === undefined || entry.url === '' ? undefined : entry.url;
  const proto = protoOf(url) ?? protoOf(target) ?? 'http';
  if (termination !== undefined && proto !== 'tls')
    throw refuse('has agent_tls_termination, which needs a tls:// URL.');
  return {
    proto,
    target,
    options: defined({
      name,
      url,
      description: entry.description,
      metadata: entry.metadata,
      binding: entry.bindings?.[0],
      poolingEnabled: entry.pooling_enabled,
      trafficPolicy: entry.traffic_policy === undefined ? undefined : policyText(entry.traffic_policy),
      trafficPolicyFile: file(entry.traffic_policy_file),
      inspect: entry.inspect,
      upstreamProtocol: upstream.protocol,
      upstreamProxyProtocol: proxyOf(upstream.proxy_protocol, refuse),
      upstreamTlsVerify: upstream.tls_verify,
      upstreamTlsVerifyCas: file(upstream.tls_verify_cas),
      terminateAt: termination === undefined ? undefined : ('agent' as const),
      crt: file(termination?.server_certificate),
      key: file(termination?.server_private_key),
      mutualTlsCas: file(termination?.mutual_tls_certificate_authorities?.[0]),
    }),
  };
}

type Refuse = (words: string) => UsageError;

function schemesOf(entry: TunnelEntry, refuse: Refuse): EndpointOptions['schemes'] {
  if (entry.schemes === undefined) return entry.bind_tls === undefined ? undefined : bindTlsSchemes(entry.bind_tls);
  return entry.schemes.map((scheme) => {
    if (scheme === 'http' || scheme === 'https') return scheme;
    throw refuse(`has the scheme ${scheme}; it is http or https.`);
  });
}

function labelsOf(labels: readonly string[], refuse: Refuse): Readonly<Record<string, string>> {
  return Object.fromEntries(
    labels.map((label) => {
      const sign = label.indexOf('=');
      if (sign < 1) throw refuse(`has the label ${label}; it is written key=value.`);
      return [label.slice(0, sign), label.slice(sign + 1)];
    }),
  );
}

function olderOf(entry: TunnelEntry, file: (text: string | undefined) => string | undefined): OlderOptions {
  const { auth, verify_webhook: webhook, ip_restriction: ips, user_agent_filter: agents } = entry;
  const credentials = [...(entry.basic_auth ?? []), ...(auth === undefined ? [] : [auth])];
  return defined({
    basicAuth: credentials.length === 0 ? undefined : credentials,
    hostHeader: entry.host_header,
    cidrAllow: ips?.allow_cidrs,
    cidrDeny: ips?.deny_cidrs,
    requestHeaders: entry.request_header,
    responseHeaders: entry.response_header,
    compression: entry.compression,
    circuitBreaker: entry.circuit_breaker,
    userAgentAllow: agents?.allow,
    userAgentDeny: agents?.deny,
    webhookProvider: webhook?.provider,
    webhookSecret: webhook?.secret,
    oauth: loginOf(entry.oauth),
    oidc: loginOf(entry.oidc),
    mutualTlsCas: entry.proto === undefined || entry.proto === 'http' ? file(entry.mutual_tls_cas) : undefined,
    websocketTcpConverter: entry.websocket_tcp_converter === true ? true : undefined,
  });
}

function loginOf(login: TunnelEntry['oauth']): Login | undefined {
  if (login === undefined) return undefined;
  return defined({
    provider: login.provider ?? login.issuer_url,
    allowDomains: login.allow_domains,
    allowEmails: login.allow_emails,
    scopes: login.scopes,
    clientId: login.client_id,
    clientSecret: login.client_secret,
  });
}

function protoOf(url: string | undefined): Proto | undefined {
  const scheme = /^([a-z]+):/i.exec(url ?? '')?.[1]?.toLowerCase();
  if (scheme === 'tcp' || scheme === 'tls') return scheme;
  return scheme === 'http' || scheme === 'https' ? 'http' : undefined;
}

function protocolOf(text: string | undefined, refuse: Refuse): EndpointOptions['upstreamProtocol'] {
  if (text === undefined || text === 'http1' || text === 'http2') return text;
  throw refuse(`has the upstream protocol ${text}; it is http1 or http2.`);
}

function proxyOf(text: string | undefined, refuse: Refuse): EndpointOptions['upstreamProxyProtocol'] {
  if (text === undefined || text === '' || text === '0') return undefined;
  if (text === '1' || text === '2') return text;
  throw refuse(`has the PROXY protocol ${text}; it is 1 or 2.`);
}

function remoteUrl(remote: string): string {
  return /^\d+$/.test(remote) ? `tcp://localhost:${remote}` : `tcp://${remote}`;
}

/** Whatever was written there: the text of a policy, or the policy itself. */
function policyText(written: unknown): string {
  const value: unknown = typeof written === 'object' && written !== null && 'value' in written ? written.value : null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function fileIn(folder: string, text: string | undefined): string | undefined {
  return text === undefined || text.trimStart().startsWith('-----BEGIN ') ? text : path.resolve(folder, text);
}
