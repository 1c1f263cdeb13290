/**
 * What a body looks like, where its rule does not say (traffic-policy.md §4 custom-response). A body may be a visitor's
 * text: every question here is answered in one pass over it.
 */
const HTML =
  /^<(?:!doctype html|!--|html|head|body|title|h[1-6]|p|div|span|a|b|i|em|strong|br|pre|ul|ol|table|form|main|section|script|style)\b/i;

export function inferContentType(body: string): string {
  const text = body.trim();
  const first = text[0];
  if (first === '{' || first === '[') return isJson(text) ? JSON_TYPE : PLAIN;
  if (first !== '<') return PLAIN;
  if (/^<\?xml\b/i.test(text)) return XML;
  if (HTML.test(text)) return 'text/html; charset=utf-8';
  return isElement(text) ? XML : PLAIN;
}

const PLAIN = 'text/plain; charset=utf-8';
const XML = 'application/xml; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Begins with an opening tag and ends with a closing one. */
function isElement(text: string): boolean {
  const opened = text.indexOf('>');
  const closing = text.lastIndexOf('</');
  return (
    isNameStart(text, 1) &&
    opened !== -1 &&
    closing > opened &&
    isNameStart(text, closing + 2) &&
    text.indexOf('>', closing) === text.length - 1
  );
}

function isNameStart(text: string, at: number): boolean {
  return /[a-z_]/i.test(text.charAt(at));
}
