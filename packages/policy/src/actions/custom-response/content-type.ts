/** What a body looks like, where its rule does not say (traffic-policy.md §4 custom-response). */
export function inferContentType(body: string): string {
  const text = body.trimStart();
  const first = text[0];
  if (first === '{' || first === '[') {
    try {
      JSON.parse(text);
      return 'application/json; charset=utf-8';
    } catch {
      return 'text/plain; charset=utf-8';
    }
  }
  if (first !== '<') return 'text/plain; charset=utf-8';
  if (/^<\?xml\b/i.test(text)) return 'application/xml; charset=utf-8';
  return /^<(?:!doctype html|!--|html|head|body|title|h[1-6]|p|div|span|a|b|i|em|strong|br|pre|ul|ol|table|form|main|section|script|style)\b/i.test(
    text,
  )
    ? 'text/html; charset=utf-8'
    : /^<[a-z_][^>]*>[\s\S]*<\/[a-z_][^>]*>\s*$/i.test(text)
      ? 'application/xml; charset=utf-8'
      : 'text/plain; charset=utf-8';
}
