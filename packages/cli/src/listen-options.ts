import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type ListenOptions, normalizeTarget } from '@postern/agent';
import type { Scheme } from '@postern/link';
import { defined } from './defined.ts';
import { endTlsHere } from './endpoints/agent-tls.ts';
import { rulesOf } from './endpoints/older-options.ts';
import { fetchPolicy } from './endpoints/policy-url.ts';
import { messageOf } from './problem.ts';
import type { Proto } from './proto.ts';
import type { EndpointOptions } from './share-options.ts';
import { UsageError } from './usage-error.ts';

/**
 * What the flags ask of the agent. Files are read here, so that a wrong name is told before anything is connected.
 * @throws UsageError
 */
export async function listenOptions(proto: Proto, target: string, options: EndpointOptions): Promise<ListenOptions> {
  const url = options.url === undefined ? undefined : fullUrl(proto, options.url);
  if ((options.crt === undefined) !== (options.key === undefined)) {
    throw new UsageError('--crt and --key belong together; give both.');
  }
  const upstream = await upstreamOf(proto, target);
  const cert = await fileOf('--crt', options.crt);
  const key = await fileOf('--key', options.key);
  const upstreamCa = await fileOf('--upstream-tls-verify-cas', options.upstreamTlsVerifyCas);
  const scheme = schemeOf(proto, url, options.schemes);
  const trafficPolicy = await policyOf(proto, scheme, hostOf(upstream.upstream), options);
  const endsHere = options.terminateAt === 'agent';
  const visitorCas = endsHere ? await fileOf('--mutual-tls-cas', options.mutualTlsCas) : undefined;
  return defined({
    proto: scheme,
    ...(endsHere ? endedHere(upstream.upstream, { cert, key, visitorCas }, options, upstreamCa) : upstream),
    name: options.name,
    url,
    subdomain: options.subdomain,
    description: options.description,
    metadata: options.metadata,
    bindings: options.binding === undefined ? undefined : [options.binding],
    poolingEnabled: options.poolingEnabled === true ? true : undefined,
    trafficPolicy,
    labels: options.labels,
    forwardsProto: options.upstreamProtocol,
    proxyProto: proxyProto(options),
    websocketTcp: options.older?.websocketTcpConverter === true ? true : undefined,
    verifyUpstream: options.upstreamTlsVerify,
    upstreamCa,
    tlsTermination: endsHere || cert === undefined || key === undefined ? undefined : { cert, key },
  });
}

function proxyProto({ upstreamProxyProtocol: version }: EndpointOptions): 1 | 2 | undefined {
  return version === undefined ? undefined : version === '1' ? 1 : 2;
}

function endedHere(
  upstream: ListenOptions['upstream'],
  { cert, key, visitorCas }: { cert: string | undefined; key: string | undefined; visitorCas: string | undefined },
  options: EndpointOptions,
  ca: string | undefined,
): Pick<ListenOptions, 'upstream' | 'forwardsTo'> {
  if (cert === undefined || key === undefined)
    throw new UsageError('TLS that ends at the agent needs a certificate and its key (--crt and --key).');
  if (options.upstreamProxyProtocol !== undefined)
    throw new UsageError('TLS that ends at the agent, and a PROXY header for the service, do not go together.');
  if (typeof upstream !== 'string') throw new UsageError('TLS that ends at the agent needs a tcp or tls service.');
  const { hostname, port, protocol } = new URL(upstream);
  const service = {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port),
    secure: protocol === 'tls:',
    verify: options.upstreamTlsVerify ?? ca !== undefined,
    ca,
  };
  return { upstream: endTlsHere({ cert, key, visitorCas }, service), forwardsTo: upstream };
}

/** The SDKs' word for it: http endpoints are https unless something says http. */
function schemeOf(proto: Proto, url: string | undefined, schemes: EndpointOptions['schemes']): Scheme {
  if (proto !== 'http') return proto;
  if (url !== undefined && /^https?:/.test(url)) return url.startsWith('http:') ? 'http' : 'https';
  return schemes?.length === 1 && schemes[0] === 'http' ? 'http' : 'https';
}

async function upstreamOf(proto: Proto, target: string): Promise<Pick<ListenOptions, 'upstream' | 'forwardsTo'>> {
  if (target.startsWith('file:')) {
    if (proto !== 'http') throw new UsageError(`"${target}" is a folder; only "postern http" serves folders.`);
    const { serveFolder } = await import('./files/serve-folder.ts');
    return { upstream: await serveFolder(target), forwardsTo: target };
  }
  try {
    return { upstream: normalizeTarget(target, proto) };
  } catch (cause) {
    throw new UsageError(messageOf(cause), { cause });
  }
}

/** What a Host header says of an upstream: the port only where it is not the scheme's own. */
function hostOf(upstream: ListenOptions['upstream']): string {
  return typeof upstream === 'string' && /^https?:/.test(upstream) ? new URL(upstream).host : 'localhost';
}

/** The user's policy, with the rules that older options mean around it. */
async function policyOf(
  proto: Proto,
  scheme: string,
  upstreamHost: string,
  options: EndpointOptions,
): Promise<string | undefined> {
  const { trafficPolicy, trafficPolicyFile, trafficPolicyUrl } = options;
  const given = [trafficPolicy, trafficPolicyFile, trafficPolicyUrl].filter((one) => one !== undefined);
  if (given.length > 1) throw new UsageError('An endpoint has one traffic policy: a text, a file, or a URL.');
  const own =
    trafficPolicyUrl === undefined
      ? (trafficPolicy ?? (await fileOf('--traffic-policy-file', trafficPolicyFile)))
      : await fetchPolicy(trafficPolicyUrl);
  const cas = options.terminateAt === 'agent' ? undefined : await fileOf('--mutual-tls-cas', options.mutualTlsCas);
  if (options.older === undefined && cas === undefined) return own;
  const rules = rulesOf(proto, defined({ ...options.older, mutualTlsCas: cas }), upstreamHost);
  // Loaded here: the language is most of the command's size, and few need it.
  const { mergePolicies } = await import('@postern/policy');
  try {
    return mergePolicies([rules], own ?? '', scheme);
  } catch (cause) {
    throw new UsageError(`The traffic policy cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** `app.example.com` → `https://app.example.com`; a scheme must fit the command. */
function fullUrl(proto: Proto, text: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return `${proto === 'http' ? 'https' : proto}://${text}`;
  const fits = proto === 'http' ? scheme === 'http' || scheme === 'https' : scheme === proto;
  if (!fits) throw new UsageError(`--url ${text} does not fit "postern ${proto}".`);
  return `${scheme}${text.slice(scheme.length)}`;
}

/** The text of a file; PEM text is taken as it is. */
async function fileOf(flag: string, file: string | undefined): Promise<string | undefined> {
  if (file === undefined || file.trimStart().startsWith('-----BEGIN ')) return file;
  try {
    return await readFile(path.resolve(file), 'utf8');
  } catch (cause) {
    throw new UsageError(`${flag} ${file}: the file cannot be read (${messageOf(cause)}).`, {
      cause,
    });
  }
}
