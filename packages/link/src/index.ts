/** The contract between control and the edge: what each may ask of the other, in plain data. */
export { isServed, isWaiting, nameKey, type AgentName, type ExpectedName } from './agent-name.ts';
export type { AgentUpstream, EdgeRoute, RouteEndpoint, TlsMode } from './endpoint.ts';
export type { ControlLink, EdgePort, TlsIdentity } from './link.ts';
export {
  BINDINGS,
  isBinding,
  isScheme,
  NAMED_SCHEMES,
  SCHEMES,
  type Binding,
  type NamedScheme,
  type Scheme,
} from './model.ts';
export type { LoginBrowser, LoginEvent, LoginUser } from './login.ts';
export type { AgentBound, AgentCommand, AgentSessionAccepted } from './session.ts';
export type { AccessFacts, TrafficEvent } from './traffic.ts';
export type { CertificateChanges, Challenge, LoginKey, NodeKeys, NodeSettings } from './settings.ts';
export type { PolicyResource } from './resource.ts';
export type { ResourceUpdate, RouteUpdate } from './update.ts';
export { within } from './within.ts';
