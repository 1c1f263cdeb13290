import { arch, platform } from 'node:os';
import { encodeAuth } from '@postern/protocol';
import { streamsBorne } from './capacity.ts';
import { heartbeatTimes } from './heartbeats.ts';
import type { AgentOptions } from './options.ts';

const VERSION = '0.1.0';

/** Of the session's last answer; empty strings the first time. */
export interface Resume {
  readonly clientId: string;
  readonly cookie: string;
}

export function authMessage(options: AgentOptions, resume: Resume, legNumber: number): Buffer {
  const { interval, tolerance } = heartbeatTimes(options);
  const version = options.agentVersion ?? VERSION;
  const unmanaged = options.managed === false ? 'Remote management is switched off where this agent runs.' : '';
  return encodeAuth({
    versions: ['3', '2'],
    clientId: resume.clientId,
    authtoken: options.authtoken,
    cookie: resume.cookie,
    os: platform(),
    arch: arch(),
    agentVersion: version,
    hostname: options.hostname ?? '',
    userAgent: options.userAgent ?? `postern-agent/${version}`,
    metadata: options.metadata ?? '',
    heartbeatInterval: interval,
    heartbeatTolerance: tolerance,
    updateUnsupported: 'This agent is updated with npm.',
    stopUnsupported: unmanaged,
    restartUnsupported: unmanaged,
    clientType: 'postern-agent',
    legNumber,
    streams: streamsBorne(),
  });
}
