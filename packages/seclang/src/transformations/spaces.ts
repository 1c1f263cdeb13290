/** White space, NULs and comments, by which attacks hide their words. */

export function removeNulls(text: string): string {
  return text.replaceAll('\0', '');
}

export function replaceNulls(text: string): string {
  return text.replaceAll('\0', ' ');
}

export function removeWhitespace(text: string): string {
  return text.replaceAll(/[ \t\n\v\f\r\xa0]/g, '');
}

export function compressWhitespace(text: string): string {
  return text.replaceAll(/[ \t\n\v\f\r\xa0]+/g, ' ');
}

export function trimLeft(text: string): string {
  let from = 0;
  while (from < text.length && isSpace(text.charCodeAt(from))) from++;
  return text.slice(from);
}

export function trimRight(text: string): string {
  let to = text.length;
  while (to > 0 && isSpace(text.charCodeAt(to - 1))) to--;
  return text.slice(0, to);
}

/** Space, and 9 to 13. */
function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

/** Each comment of C becomes one space; one that is not closed takes the rest. */
export function replaceComments(text: string): string {
  return withoutBlocks(text, ' ');
}

/** Comments of C, of HTML, and from `--` or `#` to the end. */
export function removeComments(text: string): string {
  let out = '';
  for (let at = 0; at < text.length;) {
    if (text.startsWith('/*', at)) at = behind(text, '*/', at + 2);
    else if (text.startsWith('<!--', at)) at = behind(text, '-->', at + 4);
    else if (text.startsWith('--', at) || text.charAt(at) === '#') break;
    else out += text.charAt(at++);
  }
  return out;
}

/** The signs of comments alone. */
export function removeCommentsChar(text: string): string {
  return text.replaceAll(/\/\*|\*\/|<!--|-->|--|#/g, '');
}

function withoutBlocks(text: string, instead: string): string {
  let from = text.indexOf('/*');
  if (from < 0) return text;
  let out = '';
  let done = 0;
  while (from >= 0) {
    out += text.slice(done, from) + instead;
    done = behind(text, '*/', from + 2);
    from = text.indexOf('/*', done);
  }
  return out + text.slice(done);
}

function behind(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at < 0 ? text.length : at + mark.length;
}

/** As shells see it: without quotes, carets and backslashes, separators as one space, lower case. */
export function cmdLine(text: string): string {
  let out = '';
  let space = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    switch (char) {
      case '"':
      case "'":
      case '\\':
      case '^':
        break;
      case ' ':
      case ',':
      case ';':
      case '\t':
      case '\r':
      case '\n':
        if (!space) out += ' ';
        space = true;
        break;
      case '/':
      case '(':
        if (space) out = out.slice(0, -1);
        out += char;
        space = false;
        break;
      default:
        out += char >= 'A' && char <= 'Z' ? char.toLowerCase() : char;
        space = false;
    }
  }
  return out;
}
