/** Certificates as the API of a server has them. */
import { type Answer, callApi } from '../api/call.ts';
import type { ApiPlace } from '../api/find-api.ts';

/** A certificate that a server keeps, or that was uploaded to it. */
export interface Certificate {
  readonly id: string;
  /** Kept by the server; false = uploaded, so that nobody renews it. */
  readonly managed: boolean;
  readonly names: readonly string[];
  readonly status: string;
  readonly keyType: string;
  /** Who signed what is served; '' = there is nothing yet. Others, too, are '' where the server says null. */
  readonly issuer: string;
  readonly authority: string;
  readonly notAfter: string;
  readonly challenge: string;
  readonly renewsAt: string;
  readonly retriesAt: string;
  readonly attempts: number;
  readonly errorCode: string;
  /** What to do next. */
  readonly next: string;
  /** Id of what is served. */
  readonly certificateId: string;
  readonly checks: readonly Check[];
}

export interface Check {
  readonly name: string;
  /** '' = control of it could not be shown. */
  readonly challenge: string;
  readonly msg: string;
}

const PAGE = 100;
/** A check asks the names themselves, each with deadlines of its own. */
const CHECK_MS = 90_000;
const UPLOADED = 'It was uploaded: upload the next one before that, and name it in certificate_id of the domain.';

/** The server refused, in its own words. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** Everything of the account: what is ordered first. */
export async function allCertificates(place: ApiPlace): Promise<readonly Certificate[]> {
  const managed = await pages(place, '/managed_certificates', 'managed_certificates');
  const stored = await pages(place, '/tls_certificates', 'tls_certificates');
  return [...managed.map(managedOf), ...stored.filter((row) => text(row, 'issued_at') === '').map(uploadedOf)];
}

/** Those for the name, or with the id: exact ones, else those whose wildcard covers it. */
export function namedOf(all: readonly Certificate[], name: string): readonly Certificate[] {
  const wanted = name.toLowerCase();
  const exact = all.filter(({ id, names }) => id === name || names.includes(wanted));
  const wildcard = `*${wanted.slice(Math.max(wanted.indexOf('.'), 0))}`;
  return exact.length > 0 ? exact : all.filter(({ names }) => names.includes(wildcard));
}

export async function renew(place: ApiPlace, id: string): Promise<void> {
  accepted(await callApi(place, 'POST', `/managed_certificates/${id}/renew`, {}));
}

export async function check(place: ApiPlace, id: string): Promise<Certificate> {
  const answer = await callApi(place, 'POST', `/managed_certificates/${id}/check`, {}, CHECK_MS);
  return managedOf(accepted(answer).body);
}

export async function look(place: ApiPlace, id: string): Promise<Certificate> {
  return managedOf(accepted(await callApi(place, 'GET', `/managed_certificates/${id}`)).body);
}

async function pages(place: ApiPlace, route: string, key: string): Promise<readonly unknown[]> {
  const rows: unknown[] = [];
  for (let next = `${route}?limit=${PAGE}`; next !== '';) {
    // oxlint-disable-next-line no-await-in-loop -- each page names the next
    const { body } = accepted(await callApi(place, 'GET', next));
    rows.push(...list(body, key));
    next = text(body, 'next_page_uri');
  }
  return rows;
}

/** @throws Refused */
function accepted(answer: Answer): Answer {
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw new Refused(text(answer.body, 'msg') || `the server answered ${answer.status} ${answer.reason}`);
}

function managedOf(row: unknown): Certificate {
  const attempts = member(row, 'attempts');
  return {
    id: text(row, 'id'),
    managed: true,
    names: texts(row, 'names'),
    status: text(row, 'status'),
    keyType: text(row, 'private_key_type'),
    issuer: text(row, 'issuer'),
    authority: text(row, 'authority'),
    notAfter: text(row, 'not_after'),
    challenge: text(row, 'challenge'),
    renewsAt: text(row, 'renews_at'),
    retriesAt: text(row, 'retries_at'),
    attempts: typeof attempts === 'number' ? attempts : 0,
    errorCode: text(row, 'error_code'),
    next: text(row, 'msg'),
    certificateId: text(member(row, 'certificate'), 'id'),
    checks: list(row, 'checks').map((one) => ({
      name: text(one, 'name'),
      challenge: text(one, 'challenge'),
      msg: text(one, 'msg'),
    })),
  };
}

function uploadedOf(row: unknown): Certificate {
  const id = text(row, 'id');
  return {
    id,
    managed: false,
    names: texts(member(row, 'subject_alternative_names'), 'dns_names'),
    status: 'uploaded',
    keyType: text(row, 'private_key_type'),
    issuer: text(row, 'issuer_common_name'),
    authority: '',
    notAfter: text(row, 'not_after'),
    challenge: '',
    renewsAt: '',
    retriesAt: '',
    attempts: 0,
    errorCode: '',
    next: UPLOADED,
    certificateId: id,
    checks: [],
  };
}

function text(body: unknown, name: string): string {
  const value = member(body, name);
  return typeof value === 'string' ? value : '';
}

function texts(body: unknown, name: string): readonly string[] {
  return list(body, name).filter((one) => typeof one === 'string');
}

function list(body: unknown, name: string): readonly unknown[] {
  const value = member(body, name);
  return Array.isArray(value) ? value : [];
}

function member(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null
    ? new Map<string, unknown>(Object.entries(body)).get(name)
    : undefined;
}
