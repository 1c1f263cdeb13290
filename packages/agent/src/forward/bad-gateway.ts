import { formatUpstream, type UpstreamAddress } from '../target.ts';

/**
 * The answer of this agent when an http upstream cannot be reached: a real response, which the edge recognises by its
 * header and replaces by a page of its own (agent-protocol.md §6, ERR_NGROK_8012).
 */
export function badGateway(upstream: UpstreamAddress, reason: string): Buffer {
  const text = `The agent could not reach ${formatUpstream(upstream)}: ${reason}. Start the service there, or change the target.\n`;
  const head = [
    'HTTP/1.1 502 Bad Gateway',
    'content-type: text/plain; charset=utf-8',
    `content-length: ${Buffer.byteLength(text)}`,
    'ngrok-error-code: ERR_NGROK_8012',
    'connection: close',
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${text}`);
}
