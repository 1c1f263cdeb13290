/** A handshake that fails, in words that say what to give. The flags are those of `postern http`; in code, the options. */
import { AgentError } from './agent-error.ts';
import type { AgentOptions } from './options.ts';

/** Of OpenSSL's verification, as Node names them: the chain ends in nobody that is trusted here. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

interface Place extends Pick<AgentOptions, 'serverName' | 'ca'> {
  readonly serverAddr: string;
}

export function connectProblem(error: unknown, { serverAddr, serverName, ca }: Place): AgentError {
  const known = AgentError.from(error);
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const advice = adviceFor(code, known.message, serverName ?? serverAddr, ca !== undefined);
  return advice === ''
    ? known
    : new AgentError(`${serverAddr}: ${advice} (${known.message})`, { cause: error, fatal: true });
}

function adviceFor(code: string, message: string, name: string, hasCa: boolean): string {
  if (UNTRUSTED.has(code)) {
    return hasCa
      ? 'the certificate of the server is of another authority than the one given with --connect-cas (option "ca"); ' +
          'give the one that signed it, or --connect-cas host if that is a public one'
      : 'the certificate of the server is of an authority that is not known here; give it with --connect-cas FILE ' +
          '(option "ca"): ca.pem of the server’s data folder, or your own authority if you gave the server a certificate';
  }
  if (/permitted subtree violation/.test(message)) {
    return `the authority given with --connect-cas may not vouch for ${name}; fetch ca.pem of the server again`;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `the certificate of the server is not for ${name}; give --connect-url the name that is in it`;
  }
  if (code === 'CERT_HAS_EXPIRED') return 'the certificate of the server has expired; whoever runs it has to renew it';
  if (code === 'CERT_NOT_YET_VALID') return 'the certificate of the server is not valid yet; check the clocks of both';
  if (/unrecognized.name/i.test(message)) {
    return (
      `the server does not know the name ${name}; a port that agents share with visitors needs a name, not an ` +
      'address: give --connect-url connect.<base domain>:<port>, or what its --agent-name says'
    );
  }
  return '';
}
