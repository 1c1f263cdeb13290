/** The steps of the Dockerfile, and what they make, run as an engine would run it. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Built, imageProblem, ImageSteps } from '../support/image-steps.ts';
import { requireJudge } from '../support/judge.ts';
import { repositoryRoot } from '../support/platform.ts';
import { until } from '../support/until.ts';

const problem = imageProblem();
if (problem !== '') requireJudge('the steps of the Dockerfile', problem);

let steps: ImageSteps;
let image: Built;
beforeAll(async () => {
  if (problem !== '') return;
  steps = await ImageSteps.open(repositoryRoot);
  image = await steps.build(readFileSync(path.join(repositoryRoot, 'Dockerfile'), 'utf8'));
});
afterAll(() => steps?.close());

const ask = (url: string, headers: object = {}): string =>
  steps.run(image, [
    'node',
    '-e',
    `fetch(process.argv[1], { headers: JSON.parse(process.argv[2]) }).then(async (r) => console.log(r.status, await r.text()))`,
    url,
    JSON.stringify(headers),
  ]).output;

test.skipIf(problem !== '')(
  'the image serves as nobody special, says how it is, and ends when it is told',
  async () => {
    expect(image.user).toBe('node');
    expect(steps.run(image, image.health).status).toBe(1);
    const server: ChildProcess = steps.spawn(image, [...image.command, '--base-domain', 'tun.example.com']);
    let said = '';
    for (const stream of [server.stdout, server.stderr])
      stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    // By its 'exit' not all that it said need be here.
    const ended = once(server, 'close');
    try {
      await until(() => {
        if (server.exitCode !== null) throw new Error(said);
        return steps.run(image, image.health).status === 0 || null;
      });
      expect(readFileSync(`/proc/${server.pid}/status`, 'utf8')).toMatch(/^Uid:\s+1000\s+1000\s+1000\s+1000$/m);
      const data = path.join(image.root, 'var', 'lib', 'postern');
      expect([statSync(data).mode & 0o777, statSync(data).uid]).toEqual([0o700, 1000]);
      const key = readFileSync(path.join(data, 'api_key'), 'utf8').trim();
      const headers = { authorization: `Bearer ${key}`, 'ngrok-version': '2' };
      expect(ask('http://127.0.0.1:4400/endpoints', headers)).toMatch(/^200 \{"endpoints":\[\]/);
      expect(ask('http://127.0.0.1:8880/')).toMatch(/^404 /);
      // Its URLs are those that the world sees.
      expect(JSON.parse(readFileSync(path.join(data, 'runtime.json'), 'utf8'))).toMatchObject({
        tcp_ports: '20000-20999',
      });
    } finally {
      server.kill('SIGTERM');
    }
    expect(await ended).toEqual([0, null]);
    expect(said).toContain('"msg":"stopped"');
  },
);

test.skipIf(problem !== '')('nothing but the package is in it', () => {
  const local = path.join(image.root, 'own', 'local');
  expect(readdirSync(path.join(local, 'lib', 'node_modules')).toSorted()).toEqual(['npm', 'postern']);
  expect(readdirSync(path.join(local, 'lib', 'node_modules', 'postern'))).not.toContain('node_modules');
  expect(readdirSync(path.join(image.root, 'tmp')).filter((file) => file.endsWith('.tgz'))).toEqual([]);
});
