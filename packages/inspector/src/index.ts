/** The agent's inspector: what passes, the local API and its pages. See README.md. */
export { startInspector } from './inspector.ts';
export type { Inspector, InspectorLog, InspectorOptions } from './inspector.ts';
export { TunnelRefused } from './tunnels.ts';
export type { AgentState, Definition, SessionState, Tunnel, Tunnels } from './tunnels.ts';
export type { MetricsView, TunnelMetricsView } from './meters/tunnel-meters.ts';
export type * from './view/shapes.ts';
