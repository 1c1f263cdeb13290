/**
 * From the text of a request head to a RequestHead (RFC 9112 §3).
 */
import { readAbsoluteTarget, readAuthority, sameAuthority } from './authority.ts';
import { equalsLower, SP, TARGET, TOKEN } from './characters.ts';
import { FieldSection } from './fields.ts';
import type { NameTable } from './name-table.ts';
import { connectionOptions, declaredFraming, NO_BODY, upgradeProtocol } from './framing.ts';
import { Refusal } from './refusal.ts';
import type { FieldLines, Framing, RawFields, RequestHead } from './types.ts';

class ParsedRequestHead implements RequestHead {
  readonly method: string;
  readonly target: string;
  readonly authority: string;
  readonly minor: 0 | 1;
  readonly lines: FieldLines;
  readonly framing: Framing;
  readonly keepAlive: boolean;
  readonly upgrade: string;
  readonly expectContinue: boolean;

  constructor(method: string, target: string, authority: string, minor: 0 | 1, section: FieldSection) {
    const connection = connectionOptions(section.connection);
    this.method = method;
    this.target = target;
    this.authority = authority;
    this.minor = minor;
    this.lines = section;
    this.framing = declaredFraming(section, minor) ?? NO_BODY;
    // A proxy keeps no HTTP/1.0 client's connection (RFC 9112 §9.3): old proxies forward keep-alive blindly.
    this.keepAlive = minor === 1 && !connection.close;
    this.upgrade = minor === 1 && connection.upgrade ? upgradeProtocol(section.upgrade) : '';
    this.expectContinue = minor === 1 && section.expect !== null && isContinue(section.expect);
  }

  get fields(): RawFields {
    return this.lines.fields;
  }
}

/** Remembers the last Host of a connection: visitors repeat it with each request. */
export class RequestHeadReader {
  private readonly maxFields: number;
  private readonly names: NameTable;
  private lastHost: string | null = null;
  private lastAuthority = '';

  constructor(maxFields: number, names: NameTable) {
    this.maxFields = maxFields;
    this.names = names;
  }

  /**
   * @param text the whole head, ending in CRLF CRLF
   * @throws Refusal
   */
  read(text: string): RequestHead {
    const methodEnd = endOfRun(text, 0, TOKEN);
    if (methodEnd === 0 || text.charCodeAt(methodEnd) !== SP) throw new Refusal(400, 'an invalid method');
    const targetEnd = endOfRun(text, methodEnd + 1, TARGET);
    if (targetEnd === methodEnd + 1 || text.charCodeAt(targetEnd) !== SP) {
      throw targetRefusal(text.charCodeAt(targetEnd));
    }
    const minor = readVersion(text, targetEnd + 1);
    const method = text.substring(0, methodEnd);
    const target = text.substring(methodEnd + 1, targetEnd);

    const section = new FieldSection(text, targetEnd + 11, this.maxFields, this.names);
    const authority = this.authorityOf(section.host, method, target, minor);
    return new ParsedRequestHead(method, target, authority, minor, section);
  }

  private authorityOf(host: string | null, method: string, target: string, minor: 0 | 1): string {
    if (host === null && minor === 1) throw new Refusal(400, 'no Host field');
    const named = host === null ? '' : this.hostAuthority(host);
    // With any target: an upstream that says 200 to it would make a tunnel of a connection that carries requests.
    if (method === 'CONNECT') throw new Refusal(405, 'the method CONNECT, which is not served here');
    if (target.charCodeAt(0) === 47) return named;
    if (target === '*') {
      if (method !== 'OPTIONS') throw new Refusal(400, 'the target "*" with a method other than OPTIONS');
      return named;
    }
    const absolute = readAbsoluteTarget(target);
    if (absolute === null) throw new Refusal(400, 'a target that is neither a path nor an http or https URL');
    if (host !== null && !sameAuthority(absolute.scheme, absolute.authority, named)) {
      throw new Refusal(400, 'a Host field that differs from the host in the target');
    }
    return absolute.authority;
  }

  private hostAuthority(host: string): string {
    if (host !== this.lastHost) {
      this.lastAuthority = readAuthority(host, 'Host field');
      this.lastHost = host;
    }
    return this.lastAuthority;
  }
}

function endOfRun(text: string, at: number, classOf: Uint8Array): number {
  while (classOf[text.charCodeAt(at)] === 1) at++;
  return at;
}

function targetRefusal(code: number): Refusal {
  if (code === 35) return new Refusal(400, 'a fragment in the target');
  if (code >= 127) return new Refusal(400, 'a byte in the target that has to be percent-encoded');
  return new Refusal(400, 'a request line that is not method, target and version, each once and one space apart');
}

/** `HTTP/1.x` CRLF at `at`. */
function readVersion(text: string, at: number): 0 | 1 {
  if (text.startsWith('HTTP/1.1\r\n', at)) return 1;
  if (text.startsWith('HTTP/1.0\r\n', at)) return 0;
  throw versionRefusal(text.substring(at, text.indexOf('\r\n', at)), 'request line');
}

/** 505 for a well-formed version that is not served, 400 for anything else. */
export function versionRefusal(version: string, where: string): Refusal {
  if (/^HTTP\/[0-9]\.[0-9]$/.test(version)) return new Refusal(505, `the version ${version.substring(5)} of HTTP`);
  return new Refusal(400, `a ${where} without a valid HTTP version at its place`);
}

function isContinue(expect: string): boolean {
  return equalsLower(expect, 0, expect.length, '100-continue');
}
