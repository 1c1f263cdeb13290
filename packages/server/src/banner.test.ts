import path from 'node:path';
import { expect, test } from 'vitest';
import type { AgentAccess } from './agent-access.ts';
import { banner } from './banner.ts';

const file = (name: string): string => path.join(process.cwd(), 'my data', name);
const runtime = {
  pid: 1,
  version: '1.2.3',
  api_url: 'http://127.0.0.1:4400',
  http_addr: '127.0.0.1:8880',
  https_addr: '127.0.0.1:8443',
  agent_addr: '[::1]:4443',
  tcp_ports: '20000-20999',
  metrics_url: 'http://127.0.0.1:4401',
  base_domains: ['one.test', 'two.test'],
  ca_path: file('ca.pem'),
  api_key_path: file('api_key'),
  authtoken_path: file('authtoken'),
};
const LOCAL: AgentAccess = { address: 'localhost:4443', authority: 'own', remote: false };
const urls = (name: string) => ({ http: `http://${name}.one.test:8880`, https: `https://${name}.one.test:8443` });

test('the first link is plain http, and every line can be pasted where the user is', () => {
  const lines = banner(
    { runtime, agentAccess: LOCAL },
    { appUrl: urls('app'), helloUrl: urls('hello') },
    'npx postern',
  ).split('\n');
  expect(lines.find((line) => line.includes('://'))).toContain('http://app.one.test:8880');
  const ca = `'${path.join('my data', 'ca.pem')}'`;
  expect(lines).toContain(`  curl --cacert ${ca} https://app.one.test:8443/`);
  expect(lines.join('\n')).toContain(`server_addr: 'localhost:4443'`);
  expect(lines.join('\n')).toContain(`session_ca_cert: read(${ca})`);
  expect(lines).toContain('Names are given out under one.test, two.test. Ctrl+C stops.');
});

test('without the demo nothing of it is shown', () => {
  const text = banner({ runtime, agentAccess: LOCAL }, null, 'npx postern');
  expect(text).not.toContain('Open');
  expect(text).toContain('npx postern http 3000');
});

test.each([
  [
    'own',
    `--connect-url connect.one.test:4443 --connect-cas ca.pem --authtoken`,
    `session_ca_cert: read('${path.join('my data', 'ca.pem')}')`,
  ],
  ['public', `--connect-url connect.one.test:4443 --authtoken`, `root_cas: 'host'`],
  [
    'private',
    `--connect-url connect.one.test:4443 --connect-cas YOUR-CA.pem --authtoken`,
    `session_ca_cert: read('YOUR-CA.pem')`,
  ],
] as const)('other machines are told what to trust: %s', (authority, agent, sdk) => {
  const text = banner(
    { runtime, agentAccess: { address: 'connect.one.test:4443', authority, remote: true } },
    null,
    'npx postern',
  );
  expect(text).toContain(agent);
  expect(text).toContain(`server_addr: 'connect.one.test:4443'`);
  expect(text).toContain(sdk);
  expect(text).not.toContain('localhost');
});
