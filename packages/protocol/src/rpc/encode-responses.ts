/**
 * What a server answers agents with. Names, kinds and presence are exactly what the strictest official agent needs
 * (agent-protocol.md §5, marked R! there): a missing field makes it drop the whole answer.
 */
import type { PosternError } from '@postern/errors';
import type { AuthResponse, BindResponse } from './types.ts';

/**
 * The text of an `Error` field: words and codes on lines of their own. The Rust family takes the code from the last line that
 * begins with one, Go from the first that is anywhere, and some clients show the first line that holds none
 * (agent-protocol.md §4.1 and annex). So exactly one line begins with a code, and those of causes stand behind it.
 */
export function errorText(error: PosternError): string {
  const causes = new Set(error.message.match(/ERR_NGROK_\d+/g) ?? []);
  causes.delete(error.code);
  const words = error.message.replace(/ ?\(?ERR_NGROK_\d+\)?/g, '').replace(/[\r\n]+/g, ' ');
  const behind = [...causes].map((code) => `Caused by ${code}\n`);
  return `${words.trim()}\n\n${error.code}\n${behind.join('')}`;
}

export function encodeAuthResponse(response: AuthResponse): Buffer {
  const addresses = response.connectAddresses ?? [];
  return json({
    Version: response.version,
    ClientId: response.clientId,
    Error: response.error ?? '',
    Extra: {
      Version: response.version,
      Region: response.region ?? '',
      Cookie: response.cookie ?? '',
      AccountName: response.accountName ?? '',
      PlanName: response.planName ?? '',
      Banner: response.banner ?? '',
      AgentSessionID: response.sessionId ?? '',
      // A single address would pin the agent to it, and none leaves it where it is.
      ...(addresses.length > 1
        ? { ConnectAddresses: addresses.map((address) => ({ Region: response.region ?? '', ServerAddr: address })) }
        : {}),
    },
  });
}

export function encodeBindResponse(response: BindResponse): Buffer {
  return json({
    Id: response.id,
    URL: response.url,
    Proto: response.proto,
    Opts: completeOpts(response.proto, response.opts),
    Extra: { Token: response.token, TunnelID: response.tunnelId ?? '' },
    Error: response.error ?? '',
  });
}

/** The answer to a Bind that failed. */
export function encodeBindError(proto: string, error: string): Buffer {
  return encodeBindResponse({ id: '', url: '', proto, opts: {}, token: '', error });
}

export function encodeLabelBindResponse(id: string, error = ''): Buffer {
  return json({ Id: id, Error: error });
}

export function encodeUnbindResponse(error = ''): Buffer {
  return json({ Error: error, Extra: {} });
}

export function encodePatchTunnelResponse(error = ''): Buffer {
  return json({ Error: error });
}

export function encodeServerInfoResponse(region: string): Buffer {
  return json({ Region: region });
}

/** The answer to Stop, Restart and Update, by an agent; and to a message of unknown type, by anyone. */
export function encodeErrorResponse(error = ''): Buffer {
  return json({ Error: error });
}

type OptKind = 'string' | 'boolean' | 'number';

/** What the strict agent needs in the echoed Opts, by protocol. */
const REQUIRED_OPTS: Readonly<Record<string, Readonly<Record<string, OptKind>>>> = {
  http: { Hostname: 'string', Auth: 'string', Subdomain: 'string', HostHeaderRewrite: 'boolean', ProxyProto: 'number' },
  tcp: { Addr: 'string', ProxyProto: 'number' },
  tls: { Hostname: 'string', Subdomain: 'string', ProxyProto: 'number', MutualTLSAtAgent: 'boolean' },
};
const ZERO = { string: '', boolean: false, number: 0 } as const;

/** The agent's own Opts, because it sends them back when it reconnects, with the required ones filled up. */
function completeOpts(proto: string, opts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const completed: Record<string, unknown> = { ...opts };
  for (const [name, kind] of Object.entries(REQUIRED_OPTS[proto === 'https' ? 'http' : proto] ?? {})) {
    if (typeof completed[name] === kind) continue;
    const other = Object.keys(completed).find((key) => key.toLowerCase() === name.toLowerCase());
    const given = other === undefined ? undefined : completed[other];
    if (other !== undefined) delete completed[other];
    completed[name] = typeof given === kind ? given : ZERO[kind];
  }
  return completed;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
