/**
 * ALPN (RFC 7301) where TLS ends here and the bytes go on to a service of whom little is known. Not to answer the question
 * would shut out clients that insist: grpc-go refuses a connection without h2. To say h2 where HTTP/1 would do as well
 * would break services that do not speak it.
 */

/** `any`: whatever the service speaks; `h2`: its agent says that it speaks HTTP/2. */
export type ServiceAlpn = 'any' | 'h2';

/**
 * @param offered the client's protocols, preferred first; not empty
 * @returns one of them: a client is never refused for want of one, since the service may well speak it
 */
export function chooseForService(wanted: ServiceAlpn, offered: readonly string[]): string | undefined {
  const order = wanted === 'h2' ? ['h2', 'http/1.1'] : ['http/1.1', 'h2'];
  return order.find((protocol) => offered.includes(protocol)) ?? offered[0];
}

export function serviceAlpn(upstreams: readonly { readonly protocol: string }[]): ServiceAlpn {
  return upstreams.some(({ protocol }) => protocol === 'http2') ? 'h2' : 'any';
}
