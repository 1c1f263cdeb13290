import type { BindMessage, EndpointProto } from '@postern/protocol';
import type { ListenOptions } from './options.ts';

/** The Bind for a listener (agent-protocol.md §5.2, §5.3); `resume` when it was bound before. */
export function bindMessage(
  options: ListenOptions,
  resume?: { readonly id: string; readonly token: string; readonly opts: Readonly<Record<string, unknown>> },
): BindMessage {
  return {
    id: resume?.id ?? '',
    proto: protoOf(options),
    forwardsTo: forwardsTo(options),
    forwardsProto: options.forwardsProto ?? '',
    opts: resume?.opts ?? wireOptions(options),
    token: resume?.token ?? '',
    metadata: options.metadata ?? '',
    bindings: options.bindings ?? (isInternal(options.url) ? ['internal'] : []),
    poolingEnabled: options.poolingEnabled ?? false,
    name: options.name ?? '',
    description: options.description ?? '',
  };
}

export function protoOf(options: ListenOptions): EndpointProto {
  if (options.proto !== undefined) return options.proto;
  const fromUrl = schemeOf(options.url ?? '');
  if (fromUrl !== undefined) return fromUrl;
  const fromUpstream = typeof options.upstream === 'string' ? schemeOf(options.upstream) : undefined;
  return fromUpstream === 'tcp' || fromUpstream === 'tls' ? fromUpstream : 'https';
}

export function forwardsTo(options: ListenOptions): string {
  if (options.forwardsTo !== undefined) return options.forwardsTo;
  return typeof options.upstream === 'string' ? options.upstream : 'app://this-process';
}

function wireOptions(options: ListenOptions): Record<string, unknown> {
  const opts: Record<string, unknown> = {
    URL: /^[a-z]+:\/\/$/i.test(options.url ?? '') ? '' : (options.url ?? ''),
    ProxyProto: options.proxyProto ?? 0,
    TrafficPolicy: options.trafficPolicy ?? '',
  };
  if (protoOf(options) !== 'tcp') {
    opts['Domain'] = options.domain ?? '';
    opts['Subdomain'] = options.subdomain ?? '';
  }
  if (options.websocketTcp === true) opts['WebsocketTCPConverter'] = {};
  if (protoOf(options) === 'tls' && options.tlsTermination !== undefined) {
    opts['TLSTermination'] = {
      cert: base64(options.tlsTermination.cert),
      key: base64(options.tlsTermination.key),
    };
  }
  return opts;
}

function base64(text: string | undefined): string {
  return Buffer.from(text ?? '').toString('base64');
}

function schemeOf(url: string): EndpointProto | undefined {
  const scheme = url.slice(0, Math.max(0, url.indexOf('://'))).toLowerCase();
  return scheme === 'http' || scheme === 'https' || scheme === 'tcp' || scheme === 'tls' ? scheme : undefined;
}

function isInternal(url: string | undefined): boolean {
  return /\.internal(:\d+)?\/?$/i.test(url ?? '');
}
