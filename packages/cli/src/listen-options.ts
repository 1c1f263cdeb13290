import { readFile } from 'node:fs/promises';
import { type ListenOptions, normalizeTarget } from '@postern/agent';
import { messageOf } from './problem.ts';
import type { Proto, ShareOptions } from './share-options.ts';
import { UsageError } from './usage-error.ts';

/**
 * What the flags ask of the agent. Files are read here, so that a wrong name is told before anything is connected.
 * @throws UsageError
 */
export async function listenOptions(
  proto: Proto,
  target: string,
  options: ShareOptions,
): Promise<ListenOptions & { readonly upstream: string }> {
  const url = options.url === undefined ? undefined : fullUrl(proto, options.url);
  if ((options.crt === undefined) !== (options.key === undefined)) {
    throw new UsageError('--crt and --key belong together; give both.');
  }
  const policy = await fileOf('--traffic-policy-file', options.trafficPolicyFile);
  const cert = await fileOf('--crt', options.crt);
  const key = await fileOf('--key', options.key);
  const upstreamCa = await fileOf('--upstream-tls-verify-cas', options.upstreamTlsVerifyCas);
  return {
    // The SDKs' word for it: http endpoints are https unless the URL says http.
    proto: proto === 'http' ? (url?.startsWith('http://') === true ? 'http' : 'https') : proto,
    upstream: upstreamOf(proto, target),
    name: options.name,
    ...(url === undefined ? {} : { url }),
    ...(options.description === undefined ? {} : { description: options.description }),
    ...(options.metadata === undefined ? {} : { metadata: options.metadata }),
    ...(options.binding === undefined ? {} : { bindings: [options.binding] }),
    ...(options.poolingEnabled === true ? { poolingEnabled: true } : {}),
    ...(policy === undefined ? {} : { trafficPolicy: policy }),
    ...(options.upstreamProtocol === undefined ? {} : { forwardsProto: options.upstreamProtocol }),
    ...(options.upstreamProxyProtocol === undefined
      ? {}
      : { proxyProto: options.upstreamProxyProtocol === '1' ? 1 : 2 }),
    ...(options.upstreamTlsVerify === true ? { verifyUpstream: true } : {}),
    ...(upstreamCa === undefined ? {} : { upstreamCa }),
    ...(cert === undefined || key === undefined ? {} : { tlsTermination: { cert, key } }),
  };
}

function upstreamOf(proto: Proto, target: string): string {
  try {
    return normalizeTarget(target, proto);
  } catch (cause) {
    throw new UsageError(messageOf(cause), { cause });
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

async function fileOf(flag: string, file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new UsageError(`${flag} ${file}: the file cannot be read (${messageOf(cause)}).`, {
      cause,
    });
  }
}
