/** A user's word inside a message: bounded, no control characters. */
export function printable(text: string, max = 60): string {
  const short = text.length > max ? `${text.slice(0, max - 3)}...` : text;
  // oxlint-disable-next-line no-control-regex -- control characters are what this removes
  return short.replace(/[\u0000-\u001f\u007f]/g, '?');
}
