/** A head is seldom longer, and looking costs time. */
const MOST_BYTES = 16_384;
const CRLF_TWICE = 0x0d_0a_0d_0a;
const SAFE = /^(?:GET|HEAD|OPTIONS) \S+ HTTP\/1\.1\r\n/;
/** What goes on behind the head, or may. */
const MORE = /^(?:content-length|transfer-encoding|upgrade|expect):/im;

/**
 * Whether these bytes are all of a request that a service may be sent twice (RFC 9110 §9.2.1), so that it can go over a
 * connection which the service may be about to close.
 */
export function isRepeatable(head: Buffer): boolean {
  const { length } = head;
  if (length < 16 || length > MOST_BYTES || head.readUInt32BE(length - 4) !== CRLF_TWICE) return false;
  const text = head.toString('latin1');
  return text.indexOf('\r\n\r\n') === length - 4 && SAFE.test(text) && !MORE.test(text);
}
