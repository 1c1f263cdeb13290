/** Who a connection comes from: its peer, or whoever a believed proxy says in a PROXY protocol header before all else. */
import type { Socket } from 'node:net';
import { ProxyPreambleParser, type ProxyPreamble } from '@postern/protocol';
import type { EdgeContext } from '../context.ts';
import type { CidrList } from './cidr-list.ts';
import { peek } from './peek.ts';
import { plainIp, Visitor, type VisitorAddress } from './visitor.ts';

export interface Introduction {
  readonly trustedProxies: CidrList;
  /** Believed proxies send a PROXY header on every connection. */
  readonly proxyProtocol: boolean;
}

/** As {@link introduce}, where nothing has to be waited for; null = a header is to come before all else. */
export function introduceNow(context: EdgeContext, introduction: Introduction, socket: Socket): Visitor | null {
  const client: VisitorAddress = { ip: plainIp(socket.remoteAddress), port: socket.remotePort ?? 0 };
  const fromTrustedProxy = introduction.trustedProxies.has(client.ip);
  if (introduction.proxyProtocol && fromTrustedProxy) return null;
  const { region } = context.config;
  return new Visitor(socket, { client, server: null, region, startedAt: context.now(), fromTrustedProxy });
}

/** @returns null when the header is missing, broken or late: the socket is to be closed */
export async function introduce(
  context: EdgeContext,
  introduction: Introduction,
  socket: Socket,
): Promise<Visitor | null> {
  const startedAt = context.now();
  let client: VisitorAddress = { ip: plainIp(socket.remoteAddress), port: socket.remotePort ?? 0 };
  let server: VisitorAddress | null = null;
  let fromTrustedProxy = introduction.trustedProxies.has(client.ip);
  if (introduction.proxyProtocol && fromTrustedProxy) {
    const preamble = await readPreamble(context, socket);
    if (preamble === null) return null;
    const { source, destination } = preamble;
    if (source !== undefined) {
      client = { ip: plainIp(source.address), port: source.port };
      // The proxy hands on bytes: what is in them the visitor wrote, and only another believed proxy is believed.
      fromTrustedProxy = introduction.trustedProxies.has(client.ip);
    }
    if (destination !== undefined) server = { ip: plainIp(destination.address), port: destination.port };
  }
  return new Visitor(socket, { client, server, region: context.config.region, startedAt, fromTrustedProxy });
}

async function readPreamble(context: EdgeContext, socket: Socket): Promise<ProxyPreamble | null> {
  const parser = new ProxyPreambleParser();
  let last = 0;
  const seen = await peek(socket, context.wheel, context.config.limits.clientHelloMs, (chunk) => {
    const result = parser.push(chunk);
    last = chunk.length;
    return result.kind === 'more' ? null : result;
  });
  if (seen === null) return null;
  const { result, bytes } = seen;
  if (result.kind === 'invalid') {
    context.log.warn({ peer: socket.remoteAddress, reason: result.reason }, 'bad PROXY header from a trusted proxy');
    return null;
  }
  const rest = bytes.subarray(bytes.length - last + result.used);
  if (rest.length > 0) socket.unshift(rest);
  return result.preamble;
}
