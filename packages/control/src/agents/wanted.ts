import { isScheme, type Binding, type Scheme } from '@postern/link';
import { fail } from '@postern/errors';
import type { BindRequest } from '@postern/protocol';
import { agentUrlError } from '../addresses/problems.ts';
import {
  inferBinding,
  parseEndpointUrl,
  placeUrl,
  type Address,
  type AddressPlan,
  type UrlParts,
} from '../addresses/urls.ts';
import { oneBinding } from '../resources/endpoint-input.ts';

/** Which address an agent asked for; `address` null = any (a generated name, a free port). */
export interface Wanted {
  readonly scheme: Scheme;
  readonly binding: Binding;
  readonly address: Address | null;
}

/**
 * Reads the name out of a bind: URL, then Domain, Hostname, Subdomain (agent-protocol.md §5.3, precedence), or Addr
 * for tcp.
 * @throws 326–331, 332, 347, 9021, 9028–9041, 15005, 15006, 307, 90023, 90029
 */
export function readWanted(plan: AddressPlan, request: BindRequest): Wanted {
  const scheme = request.proto.toLowerCase();
  if (!isScheme(scheme)) throw fail(332, { proto: request.proto });
  const explicit = oneBinding(request.bindings);
  const name = nameOf(plan, request, scheme);
  if (name === null) {
    if (explicit === 'internal') throw fail(9028);
    if (explicit === 'kubernetes') throw fail(9039, { url: `${scheme}://` });
    return { scheme, binding: 'public', address: null };
  }
  const { parts, text } = name;
  const binding = explicit ?? inferBinding(parts.host);
  const placed = placeUrl(parts, binding, plan);
  if (!placed.ok) throw agentUrlError(text, placed.problem);
  return { scheme, binding, address: placed.value };
}

interface Name {
  readonly parts: UrlParts;
  /** As the agent wrote it, for messages. */
  readonly text: string;
}

function nameOf(plan: AddressPlan, request: BindRequest, scheme: Scheme): Name | null {
  const { url = '', domain = '', hostname = '', subdomain = '', addr = '' } = request.opts;
  if (url !== '') {
    const parts = parse(url, scheme);
    if (parts.scheme !== scheme) throw fail(9036, { scheme: parts.scheme, allowed: scheme });
    // `https://` and `tcp://` ask for any name.
    return parts.host === '' && parts.port === 0 ? null : { parts, text: url };
  }
  if (scheme === 'tcp') return addr === '' ? null : tcpName(plan, addr);
  const base = plan.baseDomains[0] ?? '';
  const names = [domain, hostname, subdomain === '' ? '' : `${subdomain}.${base}`]
    .filter((name) => name !== '')
    .map((name) => name.toLowerCase());
  const [first] = names;
  if (first === undefined) return null;
  if (names.some((name) => name !== first)) throw fail(9021, { names: names.join(', ') });
  return { parts: parse(`${scheme}://${first}`, scheme), text: first };
}

/** `host:port`, or the port alone. */
function tcpName(plan: AddressPlan, addr: string): Name {
  const text = addr.startsWith(':') ? `${plan.tcpHost}${addr}` : /^\d+$/.test(addr) ? `${plan.tcpHost}:${addr}` : addr;
  return { parts: parse(`tcp://${text}`, 'tcp'), text: addr };
}

function parse(text: string, scheme: Scheme): UrlParts {
  const parsed = parseEndpointUrl(text, scheme);
  if (!parsed.ok) throw agentUrlError(text, parsed.problem);
  return parsed.value;
}
