/** Tests of policies, as people write them: YAML or JSON → what is tried and what is expected. */
import { fail } from '@postern/errors';
import * as z from 'zod/mini';
import { BINDINGS, isScheme, SCHEMES, type Scheme } from '@postern/link';
import { flag, httpStatus, listOf, text, whole, withDefault } from '../schema/fields.ts';
import { readConfig } from '../schema/problems.ts';
import { readSource } from '../schema/source.ts';
import type { AddressFacts, Place } from '../services.ts';
import type { CompileOptions } from '../runtime.ts';
import { EMPTY_ANSWER, givenOnly, type Given, type GivenAnswer } from './given.ts';
import type { HeaderLines } from './headers.ts';
import { requestOf } from './request-line.ts';

const MAX_BYTES = 4 * 1024 * 1024;

const values = z.pipe(
  z.transform((value: unknown) => (Array.isArray(value) || value === null ? value : [value])),
  z.array(text),
);
const headers = z.record(z.string(), values);

/** `offline`, a status, or both in full. */
const answer = z.pipe(
  z.transform((value: unknown) => {
    if (value === 'offline') return { offline: true };
    return typeof value === 'number' ? { status: value } : value;
  }),
  z.strictObject({
    offline: withDefault(flag, false),
    status: withDefault(httpStatus, 200),
    headers: z.optional(headers),
    body: withDefault(text, ''),
  }),
);

const request = z.pipe(
  z.transform((value: unknown) => (typeof value === 'string' ? lineOf(value) : value)),
  z.strictObject({
    method: withDefault(text, 'GET'),
    url: text,
    headers: z.optional(headers),
    body: withDefault(text, ''),
    client_ip: z.optional(text),
    server_ip: z.optional(text),
    http_version: z.optional(text),
    sni: z.optional(text),
    ja4_fingerprint: z.optional(text),
  }),
);

function lineOf(value: string): { method: string; url: string } | { url: string } {
  const space = value.indexOf(' ');
  return space === -1 ? { url: value } : { method: value.slice(0, space), url: value.slice(space + 1).trim() };
}

const place = {
  city: z.optional(text),
  continent: z.optional(text),
  country: z.optional(text),
  country_code: z.optional(text),
  is_eu: z.optional(flag),
  latitude: z.optional(text),
  longitude: z.optional(text),
  metro_code: z.optional(text),
  postal_code: z.optional(text),
  radius: z.optional(text),
  subdivision: z.optional(text),
  timezone: z.optional(text),
};
const facts = z.strictObject({
  ...place,
  registered: z.optional(z.strictObject(place)),
  as_number: withDefault(whole(0, 4_294_967_295), 0),
  as_organization: withDefault(text, ''),
  categories: z.optional(z.array(text)),
});

/** Of a test, or of all tests of a file. */
const given = {
  service: z.optional(answer),
  forwards: z.optional(z.record(z.string(), answer)),
  calls: z.optional(z.array(z.strictObject({ method: withDefault(text, ''), url: text, answer }))),
  secrets: z.optional(z.record(z.string(), z.record(z.string(), text))),
  ip_policies: z.optional(
    z.record(
      z.string(),
      z.strictObject({ allow: z.optional(listOf(text, 0, 10_000)), deny: z.optional(listOf(text, 0, 10_000)) }),
    ),
  ),
  authorities: z.optional(z.record(z.string(), text)),
  jwks: z.optional(z.record(z.string(), z.unknown())),
  documents: z.optional(z.record(z.string(), z.record(z.string(), z.unknown()))),
  login: z.optional(
    z.strictObject({
      auth_id: withDefault(text, ''),
      id: withDefault(text.check(z.minLength(1)), 'visitor'),
      email: withDefault(text, ''),
      name: withDefault(text, ''),
    }),
  ),
  addresses: z.optional(z.record(z.string(), facts)),
  tripped: z.optional(flag),
  firewall: z.optional(z.enum(['allow', 'deny'])),
  now: z.optional(text),
  random: z.optional(z.number()),
  times: z.optional(whole(1, 10_000)),
};

/** What a service gets; `none` = nothing. */
const asked = z.pipe(
  z.transform((value: unknown) => (value === 'none' ? { none: true } : value)),
  z.strictObject({
    none: withDefault(flag, false),
    method: z.optional(text),
    url: z.optional(text),
    headers: z.optional(z.record(z.string(), z.nullable(values))),
    body: z.optional(text),
  }),
);

const expectation = z.strictObject({
  status: z.optional(httpStatus),
  error: z.optional(text),
  headers: z.optional(z.record(z.string(), z.nullable(values))),
  body: z.optional(text),
  body_contains: z.optional(text),
  closed: z.optional(flag),
  connected: z.optional(flag),
  forward: z.optional(text),
  service: z.optional(asked),
  vars: z.optional(z.record(z.string(), z.unknown())),
  results: z.optional(z.record(z.string(), z.unknown())),
  logs: z.optional(z.array(z.unknown())),
  matched: z.optional(z.array(text)),
});

export type Expectation = z.infer<typeof expectation>;

const file = z.strictObject({
  policy: z.optional(z.unknown()),
  protocol: z.optional(z.enum(SCHEMES)),
  kind: withDefault(z.enum(['agent', 'cloud', 'edge']), 'agent'),
  binding: withDefault(z.enum(BINDINGS), 'public'),
  ...given,
  tests: z
    .array(z.strictObject({ name: withDefault(text, ''), request, ...given, expect: expectation }))
    .check(z.minLength(1)),
});

type GivenFields = Pick<z.infer<typeof file>, keyof typeof given>;

export interface PolicyTest {
  /** e.g. `tests[2]`. */
  readonly path: string;
  readonly name: string;
  readonly options: CompileOptions;
  readonly given: Given;
  readonly expect: Expectation;
}

export interface PolicyTests {
  /** As it stands there: a policy as value or text, or the name of its file; undefined = there is none. */
  readonly policy: unknown;
  readonly tests: readonly PolicyTest[];
}

/**
 * @param now unix milliseconds, for tests that do not say
 * @param more fields of such a file for which `source` has no others
 * @throws PosternError with the path of what is wrong
 */
export function readPolicyTests(source: string | object, now: number, more: string | object = {}): PolicyTests {
  const read = readConfig(file, { ...valueOf(more), ...valueOf(source) }, 'file');
  const { policy, kind, binding, tests } = read;
  return {
    policy,
    tests: tests.map((test, index) => {
      const path = `tests[${index}]`;
      const { request: written } = test;
      const wanted = requestOf(
        {
          ...written,
          headers: linesOf(written.headers),
          body: Buffer.from(written.body),
          version: written.http_version,
          clientIp: written.client_ip,
          serverIp: written.server_ip,
          ja4: written.ja4_fingerprint,
        },
        `${path}.request.url`,
      );
      const ofAll = withGiven(givenOnly(wanted, now), read, '');
      return {
        path,
        name: test.name,
        options: { kind, binding, protocol: read.protocol ?? schemeOf(written.url) },
        given: withGiven(ofAll, test, `${path}.`),
        expect: test.expect,
      };
    }),
  };
}

function valueOf(source: string | object): object {
  const value = typeof source === 'string' ? readSource(source, MAX_BYTES) : source;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw fail(2236, { reason: 'a map is needed' });
  return value;
}

/** Of the endpoint that such a URL leads to. */
function schemeOf(url: string): Scheme {
  const [scheme = ''] = url.toLowerCase().split(':', 1);
  return isScheme(scheme) ? scheme : 'https';
}

function withGiven(to: Given, from: GivenFields, path: string): Given {
  const map = <T, U>(record: Readonly<Record<string, T>> | undefined, of: (value: T) => U): [string, U][] =>
    Object.entries(record ?? {}).map(([name, value]) => [name, of(value)]);
  const addresses = map(from.addresses, factsOf);
  return {
    request: to.request,
    service: from.service === undefined ? to.service : answerOf(from.service),
    forwards: new Map([...to.forwards, ...map(from.forwards, answerOf)]),
    calls: [...(from.calls ?? []).map((call) => ({ ...call, answer: answerOf(call.answer) })), ...to.calls],
    secrets: new Map([...to.secrets, ...map(from.secrets, (vault) => new Map(Object.entries(vault)))]),
    ipPolicies: new Map([...to.ipPolicies, ...map(from.ip_policies, ({ allow = [], deny = [] }) => ({ allow, deny }))]),
    authorities: new Map([...to.authorities, ...Object.entries(from.authorities ?? {})]),
    jwks: new Map([...to.jwks, ...Object.entries(from.jwks ?? {})]),
    documents: new Map([...to.documents, ...Object.entries(from.documents ?? {})]),
    login: from.login === undefined ? to.login : { ...from.login, authId: from.login.auth_id },
    addresses: addresses.length === 0 ? to.addresses : new Map([...(to.addresses ?? []), ...addresses]),
    tripped: from.tripped ?? to.tripped,
    firewall: from.firewall ?? to.firewall,
    now: from.now === undefined ? to.now : timeOf(from.now, `${path}now`),
    random: from.random ?? to.random,
    times: from.times ?? to.times,
  };
}

function timeOf(written: string, path: string): number {
  const ms = Date.parse(written);
  if (Number.isNaN(ms)) throw fail(2204, { path, reason: 'a time as 2026-01-31T12:00:00Z is needed' });
  return ms;
}

function answerOf({ offline, status, headers: fields, body }: z.infer<typeof answer>): GivenAnswer {
  if (offline) return { offline };
  if (fields === undefined && body === '' && status === 200) return EMPTY_ANSWER;
  return { status, headers: linesOf(fields), body: Buffer.from(body) };
}

function linesOf(fields: z.infer<typeof headers> = {}): HeaderLines {
  return Object.entries(fields).flatMap(([name, list]) => list.map((value): [string, string] => [name, value]));
}

function factsOf({ registered, as_number, as_organization, categories, ...at }: z.infer<typeof facts>): AddressFacts {
  return {
    location: placeOf(at),
    registered: placeOf(registered ?? {}),
    asNumber: as_number,
    asOrganization: as_organization,
    categories: categories ?? [],
  };
}

function placeOf(at: Partial<z.infer<z.ZodMiniObject<typeof place>>>): Place {
  const { country_code, is_eu, metro_code, postal_code, ...same } = at;
  const all = {
    ...same,
    countryCode: country_code,
    isEu: is_eu,
    metroCode: metro_code,
    postalCode: postal_code,
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is unset has been left out
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Place;
}
