import { fail } from '@postern/errors';
import type * as z from 'zod/mini';
import type { Scope } from '../../cel/scope.ts';
import { Failure } from '../../cel/value.ts';
import type { Template } from '../../interpolation/template.ts';
import type { TlsTermination } from '../../runtime.ts';
import { readConfig } from '../../schema/problems.ts';
import { GO_ON, type ActionDefinition, type ActionEnv } from '../action.ts';
import { unfilled } from '../outcome.ts';
import { belongTogether, MAX_CERTIFICATES, privateKeyProblem, readCertificates } from './pem.ts';
import { MAX_PEM, terminateTlsAction, terminateTlsSchema } from './schema.ts';

/** Says how the TLS handshake is done: versions, our certificate, and what is asked of the client's. */
export const terminateTls: ActionDefinition = {
  descriptor: terminateTlsAction,
  compile(config, env) {
    const parsed = readConfig(terminateTlsSchema, config, env.path);
    refuseContradictions(parsed, env);
    const authorities = (parsed.mutual_tls_certificate_authorities ?? []).map((text, index) =>
      AUTHORITY_ID.test(text) ? resource(text) : pem(text, `.mutual_tls_certificate_authorities[${index}]`, env),
    );
    refuseCrowds(authorities, env);
    const cert =
      parsed.server_certificate === undefined ? null : pem(parsed.server_certificate, '.server_certificate', env);
    const key =
      parsed.server_private_key === undefined
        ? null
        : given(env.template(parsed.server_private_key, '.server_private_key'), 0);
    if (key !== null && cert !== null) refuseStrangers(cert, key, env);
    const versions = { minVersion: `TLSv${parsed.min_version}`, maxVersion: `TLSv${parsed.max_version}` } as const;
    const clientCertificates =
      parsed.mutual_tls_verification_strategy ?? (authorities.length === 0 ? 'none' : 'require-and-verify');

    const termination = (scope: Scope | null): TlsTermination | Failure => {
      const clientCas: string[] = [];
      for (const authority of authorities) {
        const text = authority.read(scope);
        if (text instanceof Failure) return text;
        clientCas.push(text);
      }
      const certText = cert === null ? null : cert.read(scope);
      if (certText instanceof Failure) return certText;
      const keyText = key === null ? null : key.read(scope);
      if (keyText instanceof Failure) return keyText;
      return { ...versions, cert: certText, key: keyText, clientCas, clientCertificates };
    };

    const fixed = [...authorities, cert, key].every((one) => one === null || one.text !== null)
      ? termination(null)
      : null;
    return {
      terminates: false,
      run(scope) {
        const wanted = fixed ?? termination(scope);
        if (wanted instanceof Failure) return unfilled(wanted);
        scope.context.tlsTermination = wanted;
        return GO_ON;
      },
    };
  },
};

/** A PEM text, wherever it is. */
interface Pem {
  /** null = it is only known when a connection is here. */
  readonly text: string | null;
  /** Certificates in it; 0 while that is not known. */
  readonly count: number;
  /** @param scope null for what is known */
  read(scope: Scope | null): string | Failure;
}

const AUTHORITY_ID = /^\s*ca_\w+\s*$/;
const NO_AUTHORITY = new Failure('the account has no certificate authority of that id any more');

/** An authority that the account has, as it is when a connection comes. */
function resource(text: string): Pem {
  const id = text.trim();
  const read = (scope: Scope | null): string | Failure => {
    if (scope === null) return NO_AUTHORITY;
    const { services, endpoint } = scope.context;
    return services.resources.certificateAuthority(endpoint.accountId, id) ?? NO_AUTHORITY;
  };
  return { text: null, count: 0, read };
}

/** What is only known per connection has the same bound as what is written. */
function given(template: Template, count: number): Pem {
  const read = (scope: Scope | null): string | Failure => {
    if (scope === null) return template.text ?? '';
    const text = template.require(scope);
    return typeof text === 'string' && text.length > MAX_PEM ? new Failure('a PEM text is too long') : text;
  };
  return { text: template.text, count, read };
}

function refuseContradictions(parsed: z.infer<typeof terminateTlsSchema>, { path }: ActionEnv): void {
  if (parsed.min_version > parsed.max_version) {
    throw fail(2204, { path: `${path}.min_version`, reason: 'it is above max_version' });
  }
  const { server_certificate: cert, server_private_key: key } = parsed;
  if (cert === undefined && key !== undefined) {
    throw fail(2240, { path, field: 'server_private_key', other: 'server_certificate' });
  }
  if (key === undefined && cert !== undefined) {
    throw fail(2240, { path, field: 'server_certificate', other: 'server_private_key' });
  }
  const verifies = parsed.mutual_tls_verification_strategy === 'require-and-verify';
  if (verifies && (parsed.mutual_tls_certificate_authorities ?? []).length === 0) {
    const field = 'mutual_tls_verification_strategy';
    throw fail(2240, { path, field, other: 'mutual_tls_certificate_authorities' });
  }
}

function pem(text: string, field: string, env: ActionEnv): Pem {
  const template = env.template(text, field);
  if (template.text === null) return given(template, 0);
  const read = readCertificates(template.text);
  if (typeof read === 'string') throw fail(2204, { path: `${env.path}${field}`, reason: read });
  return given(template, read.length);
}

function refuseCrowds(authorities: readonly Pem[], { path }: ActionEnv): void {
  const count = authorities.reduce((sum, one) => sum + one.count, 0);
  if (count <= MAX_CERTIFICATES) return;
  const reason = `${count} certificates are in it, and at most ${MAX_CERTIFICATES} are taken`;
  throw fail(2204, { path: `${path}.mutual_tls_certificate_authorities`, reason });
}

/** The key's text stays out of every message. */
function refuseStrangers(cert: Pem, key: Pem, { path }: ActionEnv): void {
  if (key.text === null) return;
  const field = `${path}.server_private_key`;
  const problem = privateKeyProblem(key.text);
  if (problem !== null) throw fail(2204, { path: field, reason: problem });
  if (cert.text !== null && !belongTogether(cert.text, key.text)) {
    throw fail(2204, { path: field, reason: 'it is not the key of server_certificate' });
  }
}
