/** An HTTP/2 visitor. */
import http2 from 'node:http2';
import tls from 'node:tls';
import { type Platform, splitAddress, type Visit } from './platform.ts';

/** One connection for several requests to one public URL. */
export function connectHttp2(platform: Pick<Platform, 'runtime' | 'ca'>, url: string): http2.ClientHttp2Session {
  const [host, port] = splitAddress(platform.runtime.https_addr);
  const session = http2.connect(url, {
    createConnection: () =>
      tls.connect({ host, port, servername: new URL(url).hostname, ca: platform.ca, ALPNProtocols: ['h2'] }),
  });
  session.on('error', () => undefined);
  return session;
}

/** Rejects when the stream or its connection ends before the answer does. */
export function requestHttp2(
  session: http2.ClientHttp2Session,
  path: string,
  options: { readonly method?: string; readonly body?: Buffer | string; readonly headers?: http2.OutgoingHttpHeaders },
): Promise<Visit> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':method': options.method ?? 'GET', ':path': path, ...options.headers });
    const chunks: Buffer[] = [];
    let headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {};
    stream.on('response', (answer) => (headers = answer));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () => {
      const status = headers[':status'] ?? 0;
      const bytes = Buffer.concat(chunks);
      if (status === 0 || !stream.readableEnded || stream.rstCode !== 0) {
        return reject(new Error(`the stream ended early (code ${stream.rstCode}, ${bytes.length} bytes)`));
      }
      resolve({ status, headers, bytes, text: bytes.toString() });
    });
    // A request without a body has ended by itself.
    if (options.body === undefined || options.body.length === 0) stream.end();
    else stream.end(options.body);
  });
}

/** One request on a connection of its own. */
export async function visitHttp2(
  platform: Platform,
  url: string,
  options: Parameters<typeof requestHttp2>[2] = {},
): Promise<Visit> {
  const session = connectHttp2(platform, url);
  try {
    const { pathname, search } = new URL(url);
    return await requestHttp2(session, `${pathname}${search}`, options);
  } finally {
    session.close();
  }
}
