import { agentTarget } from './agents.ts';
import { clientHelloTarget } from './client-hello.ts';
import { dnsTarget } from './dns.ts';
import { requestTarget, responseTarget } from './http1.ts';
import { http2HeadTarget } from './http2-heads.ts';
import { muxTarget } from './mux.ts';
import { policyTarget } from './policies.ts';
import { proxyHeaderTarget, proxyPreambleTarget } from './proxy.ts';
import { messageTarget, rpcStreamTarget } from './rpc.ts';
import type { FuzzTarget } from './target.ts';

/** Everything that reads bytes of strangers. */
export const TARGETS: readonly FuzzTarget[] = [
  requestTarget,
  responseTarget,
  http2HeadTarget,
  muxTarget('server'),
  muxTarget('client'),
  messageTarget,
  rpcStreamTarget(),
  agentTarget,
  proxyHeaderTarget,
  proxyPreambleTarget,
  clientHelloTarget,
  dnsTarget,
  policyTarget,
];
