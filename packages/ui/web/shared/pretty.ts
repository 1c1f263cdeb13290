/** Bodies by their kind, made readable. */

export type Kind = 'json' | 'xml' | 'form' | 'image' | 'text' | 'binary';

export function kindOf(type: string, text: string | undefined): Kind {
  const plain = type.split(';')[0]?.trim().toLowerCase() ?? '';
  if (plain.startsWith('image/')) return 'image';
  if (text === undefined) return 'binary';
  if (plain === 'application/json' || plain.endsWith('+json') || (plain === '' && /^\s*[[{]/.test(text))) return 'json';
  if (plain === 'application/xml' || plain === 'text/xml' || plain.endsWith('+xml') || plain === 'text/html')
    return 'xml';
  return plain === 'application/x-www-form-urlencoded' ? 'form' : 'text';
}

export interface Token {
  readonly kind: '' | 'k' | 's' | 'n';
  readonly text: string;
}

/** JSON, indented, in parts to colour. @throws SyntaxError that says where it is not JSON */
export function jsonTokens(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const plain = (words: string): void => {
    const last = tokens.at(-1);
    if (last?.kind === '') tokens[tokens.length - 1] = { kind: '', text: last.text + words };
    else tokens.push({ kind: '', text: words });
  };
  const write = (value: unknown, indent: string): void => {
    const deeper = `${indent}  `;
    if (Array.isArray(value)) {
      if (value.length === 0) return plain('[]');
      value.forEach((each, at) => {
        plain(`${at === 0 ? '[' : ','}\n${deeper}`);
        write(each, deeper);
      });
      return plain(`\n${indent}]`);
    }
    if (typeof value === 'object' && value !== null) {
      const entries = Object.entries(value);
      if (entries.length === 0) return plain('{}');
      entries.forEach(([name, each], at) => {
        plain(`${at === 0 ? '{' : ','}\n${deeper}`);
        tokens.push({ kind: 'k', text: JSON.stringify(name) });
        plain(': ');
        write(each, deeper);
      });
      return plain(`\n${indent}}`);
    }
    tokens.push({ kind: typeof value === 'string' ? 's' : 'n', text: JSON.stringify(value) });
    return undefined;
  };
  write(JSON.parse(text), '');
  return tokens;
}

/** Where JSON.parse stopped, with the line around it. */
export function jsonProblem(text: string, error: unknown): string {
  const said = error instanceof Error ? error.message : String(error);
  const position = Number(/position (\d+)/.exec(said)?.[1] ?? Number.NaN);
  if (Number.isNaN(position)) return said;
  const before = text.slice(0, position);
  const line = before.split('\n').length;
  return `${said} (line ${line}, column ${position - before.lastIndexOf('\n')})`;
}

/** Indents elements; text stays on its line. */
export function indentXml(text: string): string {
  let depth = 0;
  const lines: string[] = [];
  const parts = text.trim().split(/>\s*</);
  for (const [at, part] of parts.entries()) {
    const line = `${at === 0 ? '' : '<'}${part}${at === parts.length - 1 ? '' : '>'}`.trim();
    if (line === '') continue;
    if (line.startsWith('</')) depth = Math.max(0, depth - 1);
    lines.push(`${'  '.repeat(Math.min(depth, 40))}${line}`);
    const opens = /^<[a-z]/i.test(line) && !line.endsWith('/>') && !line.includes('</');
    if (opens && !/^<(?:area|base|br|col|hr|img|input|link|meta|source|wbr)\b/i.test(line)) depth += 1;
  }
  return lines.join('\n');
}

const ROW = 16;

/** As `hexdump -C` shows them. */
export function hexDump(data: Uint8Array): string {
  const rows: string[] = [];
  for (let at = 0; at < data.length; at += ROW) {
    const row = data.subarray(at, at + ROW);
    const digits = Array.from(row, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const letters = Array.from(row, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
    rows.push(`${at.toString(16).padStart(6, '0')}  ${digits.padEnd(ROW * 3 - 1)}  ${letters}`);
  }
  return rows.join('\n');
}

export function bytesOfBase64(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}
