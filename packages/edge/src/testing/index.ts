/** For the tests of other packages: an edge in a process of its own, and an agent for it. */
export { AGENT_CERTIFICATE, AGENT_NAME, edgeTestConfig, WILDCARD_CERTIFICATE } from './edge-harness.ts';
export { elsewhere, type EdgeUnderTest } from './edge-under-test.ts';
export { mmdb } from './mmdb.ts';
export { FakeAgent, pipeTo } from './fake-agent.ts';
