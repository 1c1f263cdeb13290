import { fail } from '@postern/errors';
import { formatUpstream, type UpstreamAddress } from '../target.ts';

/**
 * The answer of this agent when an http upstream cannot be reached: a real response, which the edge recognises by its
 * header and replaces by a page of its own (agent-protocol.md §6, ERR_NGROK_8012).
 */
export function badGateway(upstream: UpstreamAddress, reason: string): Buffer {
  const error = fail(8012, { upstream: formatUpstream(upstream) });
  const text = `${error.message} (${reason})\n`;
  const head = [
    'HTTP/1.1 502 Bad Gateway',
    'content-type: text/plain; charset=utf-8',
    `content-length: ${Buffer.byteLength(text)}`,
    `ngrok-error-code: ${error.code}`,
    'connection: close',
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${text}`);
}
