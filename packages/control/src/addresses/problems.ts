/** The same problem has one published code when the API reports it and another when an agent is told. */
import { fail, type PosternError } from '@postern/errors';
import { describeHostProblem, type HostProblem } from './hosts.ts';
import type { AddressProblem } from './urls.ts';

/** api.md §2: 249, 9038, 18001, 18003, 18006, 18007, 18018, 18022, 18023. */
export function apiUrlError(url: string, problem: AddressProblem): PosternError {
  switch (problem.kind) {
    case 'malformed':
      return fail(249, { url, reason: problem.reason });
    case 'scheme':
      return fail(18022, { url, scheme: problem.scheme === '' ? 'missing' : `"${problem.scheme}"` });
    case 'trailing-slash':
      return fail(9038, { url });
    case 'part':
      return problem.part === 'path'
        ? fail(9038, { url })
        : fail(18001, { url, reason: `it has a ${problem.part} part; write scheme, host and port only` });
    case 'port-syntax':
      return fail(18003, { url, problem: `"${problem.port}" is not a port from 1 to 65535` });
    case 'port-missing':
      return fail(18003, { url, problem: 'the port is missing and the scheme tcp has none by default' });
    case 'port-not-allowed':
      return fail(18023, { port: problem.port, scheme: problem.scheme, allowed: problem.allowed });
    case 'host':
      return problem.problem.kind === 'empty'
        ? fail(249, { url, reason: 'the host is missing' })
        : fail(18001, { url, reason: describeHostProblem(problem.problem) });
    case 'not-internal':
      return fail(18007, { binding: 'internal', url, reason: 'its host must end in .internal' });
    case 'internal-as-public':
      return fail(18007, { binding: 'public', url, reason: 'hosts that end in .internal are internal' });
    case 'internal-depth':
      return fail(18001, { url, reason: `at most 5 labels may stand before .internal; it has ${problem.depth}` });
    case 'kubernetes-host':
      return fail(18007, { binding: 'kubernetes', url, reason: 'its host must be name.namespace, without a wildcard' });
    case 'kubernetes-scheme':
      return fail(18018, { scheme: problem.scheme });
    case 'foreign-tcp-host':
      return fail(18006, { url, how: `tcp endpoints of this server are tcp://${problem.tcpHost}:PORT` });
    default:
      return fail(18001, { url, reason: `${problem.host} is a name of this server itself` });
  }
}

/** traffic-policy.md §9.5: 307, 326–331, 347, 9029–9041. */
export function agentUrlError(url: string, problem: AddressProblem): PosternError {
  switch (problem.kind) {
    case 'malformed':
      // Of a name, and not only of a URL, is said what is wrong with a name.
      return problem.character === undefined
        ? fail(9034, { url, reason: problem.reason })
        : fail(326, { domain: url, character: problem.character });
    case 'scheme':
      return fail(9036, { scheme: problem.scheme, allowed: 'http, https, tls, tcp' });
    case 'trailing-slash':
      return fail(9038, { url });
    case 'part':
      return fail(9037, { url, reason: `it has a ${problem.part} part` });
    case 'port-syntax':
      return fail(9030, { url, port: problem.port });
    case 'port-missing':
      return fail(9037, { url, reason: 'a tcp URL needs a port' });
    case 'port-not-allowed':
      return fail(9035, { scheme: problem.scheme, port: problem.port, allowed: problem.allowed });
    case 'host':
      return agentHostError(problem.host, problem.problem);
    case 'not-internal':
      return fail(9029, { url });
    case 'internal-as-public':
      return fail(331, { domain: url, suffix: 'internal' });
    case 'internal-depth':
      return fail(9031, { url, depth: problem.depth });
    case 'kubernetes-host':
      return fail(9039, { url });
    case 'kubernetes-scheme':
      return fail(9041, { proto: problem.scheme });
    case 'foreign-tcp-host':
      return fail(307, { addr: url, how: `tcp addresses of this server are ${problem.tcpHost}:PORT` });
    default:
      return fail(90029, { domain: problem.host });
  }
}

export function agentHostError(domain: string, problem: HostProblem): PosternError {
  switch (problem.kind) {
    case 'character':
      return fail(326, { domain, character: problem.character });
    case 'underscore':
      return fail(326, { domain, character: '_' });
    case 'empty-label':
      return fail(327, { domain });
    case 'label-start':
      return fail(328, { domain, label: problem.label });
    case 'label-end':
      return fail(329, { domain, label: problem.label });
    case 'hyphens':
      return fail(330, { domain, label: problem.label });
    case 'punycode':
      return fail(347, { domain });
    default:
      return fail(9032, { domain, reason: describeHostProblem(problem) });
  }
}

/** A name that is to be reserved: 402–411, 429, 438, 448, 513, 514. */
export function domainError(domain: string, problem: HostProblem, baseDomains: readonly string[]): PosternError {
  switch (problem.kind) {
    case 'wildcard-place':
      return fail(402, { domain });
    case 'wildcard-label':
      return fail(403, { domain });
    case 'character':
      return fail(406, { domain, character: problem.character });
    case 'label-start':
      return fail(407, { domain, label: problem.label });
    case 'label-end':
      return fail(408, { domain, label: problem.label });
    case 'empty-label':
      return fail(409, { domain });
    case 'hyphens':
      return fail(410, { domain, label: problem.label });
    case 'punycode':
      return fail(429, { domain });
    case 'underscore':
      return fail(438, { domain });
    case 'label-too-long':
      return fail(513, { domain, label: problem.label });
    case 'too-long':
      return fail(514, { domain });
    // No host, or one label only.
    default:
      return fail(448, { domain, base_domains: baseDomains.join(', ') });
  }
}
