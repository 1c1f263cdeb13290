/** Every client that the suite knows. A new one is a program and an entry here. */
import path from 'node:path';
import { agentClient } from './agents/run.ts';
import { apiClient } from './api/run.ts';
import { FRAMEWORK_CLIENTS } from './frameworks/run.ts';
import { GRPC } from './grpc/run.ts';
import { CURL } from './pages/run.ts';
import { SECOND_AGENT } from './second-agent/run.ts';
import { TERRAFORM } from './terraform/run.ts';
import type { Command } from './harness/program.ts';
import { CLIENTS, type Client } from './harness/client.ts';
import { goProgram } from './harness/go.ts';
import { javaProgram } from './harness/java.ts';
import { pythonProgram } from './harness/python.ts';
import { rustProgram } from './harness/rust.ts';
import { WRAPPERS } from './wrappers/run.ts';

const script = (folder: string, name = 'main'): Command => ({
  command: process.execPath,
  args: [path.join(CLIENTS, folder, `${name}.mjs`)],
});

export const ALL: readonly Client[] = [
  agentClient({
    language: 'go',
    name: 'Go SDK v2',
    tools: ['go'],
    cannot: {
      'forwards-to': 'it has no such option',
      options: 'it has policies instead',
      'mutual-tls': 'it has policies instead',
      'tls-at-edge': 'it has policies instead',
      'half-close-forwarded': 'its forwarder ends both sides when one ends',
      http2: 'its forwarder speaks HTTP/2 to TLS services only',
    },
    build: () => goProgram('go-agent-v2'),
    page: () => goProgram('go-agent-v2', [], 'page'),
  }),
  agentClient({
    language: 'go',
    name: 'Go SDK v1',
    tools: ['go'],
    cannot: { 'half-close-forwarded': 'its forwarder ends both sides when one ends' },
    build: () => goProgram('go-agent-v1'),
    page: () => goProgram('go-agent-v1', [], 'page'),
  }),
  agentClient({
    language: 'rust',
    name: 'Rust SDK',
    tools: ['cargo'],
    cannot: { name: 'it has no such option', 'tls-at-agent': 'it does not end TLS itself' },
    build: () => rustProgram('rust-agent'),
    page: () => rustProgram('rust-agent', 'page'),
  }),
  agentClient({
    language: 'python',
    name: 'Python SDK',
    tools: ['python3'],
    cannot: {
      name: 'it has no such option',
      pooling: 'it has no such option',
      'tls-at-agent': 'it does not end TLS itself',
    },
    build: () => pythonProgram('python-agent'),
    page: () => pythonProgram('python-agent', 'page'),
  }),
  agentClient({
    language: 'java',
    name: 'Java SDK',
    tools: ['mvn', 'javac', 'java'],
    cannot: {
      name: 'it has no such option',
      pooling: 'it has no such option',
      'tls-at-agent': 'it does not end TLS itself',
      http2: 'it has no such option',
    },
    build: () => javaProgram('java-agent'),
    page: () => javaProgram('java-agent', 'Page'),
  }),
  agentClient({
    language: 'javascript',
    name: 'JavaScript SDK',
    tools: [],
    cannot: {
      name: 'it has no such option',
      'tls-at-agent': 'it does not end TLS itself',
    },
    build: () => Promise.resolve(script('javascript-agent')),
    page: () => script('javascript-agent', 'page'),
  }),
  apiClient({
    language: 'go',
    name: 'Go API v9',
    tools: ['go'],
    named: 'name',
    cannot: {},
    build: () => goProgram('go-api', ['v9']),
  }),
  apiClient({
    language: 'go',
    name: 'Go API v7',
    tools: ['go'],
    named: 'name',
    cannot: {},
    build: () => goProgram('go-api', ['v7']),
  }),
  apiClient({
    language: 'python',
    name: 'Python API',
    tools: ['python3'],
    named: 'tag',
    cannot: {},
    build: () => pythonProgram('python-api'),
  }),
  apiClient({
    language: 'javascript',
    name: 'JavaScript API',
    tools: [],
    named: 'tag',
    cannot: {
      endpoints: 'it reads them only',
      vaults: 'it has no such service',
      secrets: 'it has no such service',
      'secrets of a vault': 'it has no such service',
      service_users: 'it has no such service',
    },
    build: () => Promise.resolve(script('javascript-api')),
  }),
  SECOND_AGENT,
  GRPC,
  ...WRAPPERS,
  ...FRAMEWORK_CLIENTS,
  CURL,
  ...TERRAFORM,
];
