/** TLS facts of a finished handshake, read from the socket only when a rule asks. */
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { CertificateView, TlsView } from '@postern/policy';

/** `undefined` in a lazy field: not looked at yet. */
export class SocketTlsView implements TlsView {
  readonly sni: string;
  readonly version: string;
  readonly negotiatedAlpn: string;
  readonly sessionResumed: boolean;
  readonly #visitor: { readonly ja4: string };
  readonly #socket: TLSSocket;
  #client: CertificateView | null | undefined;
  #server: CertificateView | null | undefined;

  constructor(socket: TLSSocket, serverName: string, visitor: { readonly ja4: string }) {
    this.#socket = socket;
    this.sni = serverName;
    this.#visitor = visitor;
    this.version = (socket.getProtocol() ?? '').replace(/^TLSv/, '');
    this.negotiatedAlpn = typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : '';
    this.sessionResumed = socket.isSessionReused();
  }

  get ja4Fingerprint(): string {
    return this.#visitor.ja4;
  }

  get cipherSuite(): string {
    // Undefined once the socket is gone.
    const cipher: { standardName: string } | undefined = this.#socket.getCipher();
    return cipher?.standardName ?? '';
  }

  get client(): CertificateView | null {
    return (this.#client ??= view(this.#socket.getPeerX509Certificate()));
  }

  get server(): CertificateView | null {
    return (this.#server ??= view(this.#socket.getX509Certificate()));
  }
}

function view(certificate: X509Certificate | undefined): CertificateView | null {
  return certificate === undefined ? null : certificateView(certificate);
}

function certificateView(certificate: X509Certificate): CertificateView {
  return {
    subject: distinguishedName(certificate.subject),
    subjectCommonName: commonName(certificate.subject),
    issuer: distinguishedName(certificate.issuer),
    issuerCommonName: commonName(certificate.issuer),
    serialNumber: certificate.serialNumber.toLowerCase(),
    sanDnsNames: (certificate.subjectAltName ?? '')
      .split(', ')
      .filter((entry) => entry.startsWith('DNS:'))
      .map((entry) => entry.slice(4)),
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
    pem: certificate.toString(),
  };
}

/** Node gives one attribute a line, widest first; RFC 4514 wants them on one line, narrowest first. */
function distinguishedName(lines: string | undefined): string {
  return (lines ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .toReversed()
    .join(',');
}

function commonName(lines: string | undefined): string {
  return (
    (lines ?? '')
      .split('\n')
      .findLast((line) => line.startsWith('CN='))
      ?.slice(3) ?? ''
  );
}
