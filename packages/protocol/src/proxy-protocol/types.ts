/** One end of a proxied connection. */
export interface ProxyAddress {
  /** IPv4 or IPv6 in text, without brackets. */
  readonly address: string;
  readonly port: number;
}

/** A PROXY protocol header, either version (specification: haproxy's proxy-protocol.txt, version 2). */
export interface ProxyPreamble {
  readonly version: 1 | 2;
  /**
   * The original visitor and the address that it reached; undefined when the header says nothing about them (v1
   * `UNKNOWN`, v2 `LOCAL` such as health checks of a balancer, v2 families other than IP): the socket's own then hold.
   */
  readonly source?: ProxyAddress;
  readonly destination?: ProxyAddress;
}
