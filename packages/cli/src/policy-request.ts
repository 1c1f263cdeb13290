/** A request as it is typed: by words and flags, or as a file with an HTTP/1.1 request. */
import { readFile } from 'node:fs/promises';
import { UsageError } from './usage-error.ts';

export interface RequestFlags {
  readonly request?: readonly string[];
  readonly header: readonly string[];
  readonly body?: string;
  readonly clientIp?: string;
  readonly sni?: string;
}

/** In the words of files of tests. */
export interface TypedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: string;
  readonly client_ip?: string;
  readonly sni?: string;
}

/** @throws UsageError */
export async function typedRequest(words: readonly string[], flags: RequestFlags): Promise<TypedRequest> {
  const named = [...words, ...(flags.request ?? [])];
  const [first = '', second] = named;
  if (first === '' || named.length > 2) throw new UsageError('say which request: METHOD URL, URL, or --request FILE');
  const start =
    second !== undefined
      ? { method: first.toUpperCase(), url: second, lines: [], body: '' }
      : first.includes('://')
        ? { method: 'GET', url: first, lines: [], body: '' }
        : requestIn(await readFile(first, 'utf8'), first);
  const headers: Record<string, string[]> = {};
  for (const line of [...start.lines, ...flags.header]) {
    const [name, value] = headerOf(line);
    (headers[name] ??= []).push(value);
  }
  return {
    method: start.method,
    url: start.url,
    headers,
    body: flags.body === undefined ? start.body : await bodyOf(flags.body),
    ...(flags.clientIp === undefined ? {} : { client_ip: flags.clientIp }),
    ...(flags.sni === undefined ? {} : { sni: flags.sni }),
  };
}

interface Written {
  readonly method: string;
  readonly url: string;
  readonly lines: readonly string[];
  readonly body: string;
}

/** `METHOD target [version]`, headers, an empty line, the body. */
function requestIn(text: string, file: string): Written {
  const unix = text.replaceAll('\r\n', '\n');
  const end = unix.indexOf('\n\n');
  const [line = '', ...lines] = (end === -1 ? unix : unix.slice(0, end)).split('\n').filter((one) => one !== '');
  const [method = '', target = ''] = line.split(' ');
  if (!/^[A-Z]+$/.test(method) || target === '')
    throw new UsageError(`${file} does not begin with a line as "GET /path HTTP/1.1"`);
  const host = lines
    .find((one) => /^host:/i.test(one))
    ?.slice('host:'.length)
    .trim();
  if (!target.includes('://') && host === undefined) throw new UsageError(`${file} has no Host`);
  const url = target.includes('://') ? target : `https://${host}${target}`;
  return { method, url, lines, body: end === -1 ? '' : unix.slice(end + 2) };
}

function headerOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(':');
  if (colon < 1) throw new UsageError(`"${line}" is no header; write "name: value"`);
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}

function bodyOf(written: string): Promise<string> {
  return written.startsWith('@') ? readFile(written.slice(1), 'utf8') : Promise.resolve(written);
}
