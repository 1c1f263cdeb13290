/** `multipart/form-data` (RFC 7578), read as loosely as servers do; what is not as it should be is told. */
import { addEntry, type Entry } from './parts.ts';

export interface MultipartFile {
  readonly field: string;
  readonly name: string;
  readonly content: string;
}

export interface ReadMultipart {
  readonly fields: readonly Entry[];
  readonly files: readonly MultipartFile[];
  /** Name of the part, and a header line of it. */
  readonly headers: readonly Entry[];
  /** All that is not as it should be (`MULTIPART_STRICT_ERROR`); null = nothing. */
  readonly problem: string | null;
}

/** @param cut whether only the beginning of the body is here. @throws Exhausted */
export function parseMultipart(text: string, contentType: string, cut: boolean): ReadMultipart {
  const fields: Entry[] = [];
  const headers: Entry[] = [];
  const files: MultipartFile[] = [];
  const boundary = boundaryOf(contentType);
  if (boundary === null) return { fields, headers, files, problem: 'it names no boundary' };
  const mark = `--${boundary}`;
  let problem: string | null = null;
  let at = text.startsWith(mark) ? 0 : text.indexOf(`\n${mark}`) + 1;
  if (at === 0 && !text.startsWith(mark)) return { fields, headers, files, problem: cut ? null : 'it has no part' };
  if (at > 0) problem = 'there is something before its first part';
  let ended = false;
  while (at < text.length) {
    at += mark.length;
    if (text.startsWith('--', at)) {
      ended = true;
      break;
    }
    const lineEnd = text.indexOf('\n', at);
    if (lineEnd < 0) break;
    const next = text.indexOf(`\n${mark}`, lineEnd);
    const part = text.slice(lineEnd + 1, next < 0 ? text.length : next + 1);
    problem = readPart(part, { fields, headers, files }) ?? problem;
    if (next < 0) break;
    at = next + 1;
  }
  if (!ended && !cut) problem ??= 'its last part is not closed';
  return { fields, headers, files, problem };
}

function boundaryOf(contentType: string): string | null {
  const match = /;\s{0,8}boundary=(?:"([^"]{1,200})"|([^\s;,"]{1,200}))/i.exec(contentType);
  return match === null ? null : (match[1] ?? match[2] ?? null);
}

interface Found {
  readonly fields: Entry[];
  readonly headers: Entry[];
  readonly files: MultipartFile[];
}

function readPart(part: string, { fields, headers, files }: Found): string | null {
  let problem: string | null = null;
  const lines: string[] = [];
  let at = 0;
  for (;;) {
    const end = part.indexOf('\n', at);
    const raw = part.slice(at, end < 0 ? part.length : end);
    if (end >= 0 && !raw.endsWith('\r')) problem = 'a line ends with a line feed alone';
    at = end < 0 ? part.length : end + 1;
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line === '') break;
    const last = lines.at(-1);
    if (/^[ \t]/.test(line) && last !== undefined) {
      lines[lines.length - 1] = `${last} ${line.trim()}`;
      problem = 'a header is folded';
    } else lines.push(line);
    if (end < 0) break;
  }
  const disposition = lines.find((line) => /^content-disposition:/i.test(line)) ?? '';
  const name = parameterOf(disposition, 'name');
  const file = parameterOf(disposition, 'filename') ?? parameterOf(disposition, 'filename*');
  if (name === null) problem = 'a part has no name';
  for (const line of lines) addEntry(headers, name ?? '', line);
  const content = part.slice(at).replace(/\r?\n$/, '');
  if (file === null) addEntry(fields, name ?? '', content);
  else if (files.length < 1_000) files.push({ field: name ?? '', name: file, content });
  return problem;
}

/** The value of `; name="…"`, its escapes taken away. */
function parameterOf(disposition: string, wanted: string): string | null {
  let at = disposition.indexOf(';');
  while (at >= 0 && at < disposition.length) {
    at++;
    while (disposition.charAt(at) === ' ' || disposition.charAt(at) === '\t') at++;
    const equals = disposition.indexOf('=', at);
    if (equals < 0) return null;
    const name = disposition.slice(at, equals).trim().toLowerCase();
    let from = equals + 1;
    while (disposition.charAt(from) === ' ') from++;
    const quote = disposition.charAt(from);
    let value = '';
    if (quote === '"' || quote === "'") {
      for (from++; from < disposition.length && disposition.charAt(from) !== quote; from++) {
        if (disposition.charAt(from) === '\\' && disposition.charAt(from + 1) === quote) from++;
        value += disposition.charAt(from);
      }
      at = disposition.indexOf(';', from);
    } else {
      const end = disposition.indexOf(';', from);
      value = disposition.slice(from, end < 0 ? disposition.length : end).trim();
      at = end;
    }
    if (name === wanted) return value;
  }
  return null;
}
