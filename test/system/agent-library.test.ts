/** `postern/agent` in another process, as a program of somebody's imports it. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Platform, repositoryRoot } from '../support/platform.ts';
import { httpUpstream, type Upstream } from '../support/upstream.ts';

let platform: Platform;
let upstream: Upstream;
beforeAll(async () => {
  platform = await Platform.start();
  upstream = await httpUpstream((request, response) => response.end(`hello ${request.url}`));
});
afterAll(async () => {
  await platform?.dispose();
  await upstream?.close();
});

async function program(source: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    // Where the workspace's package is found by its name.
    cwd: repositoryRoot,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      HOME: platform.dataDir,
      XDG_CONFIG_HOME: platform.dataDir,
      POSTERN_DATA_DIR: platform.dataDir,
    },
  });
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}
/** What a visitor of the URL gets, from inside the program. */
const visitor = (): string => `
  import https from 'node:https';
  import { readFileSync } from 'node:fs';
  const visit = (url) => new Promise((resolve, reject) => {
    const host = new URL(url).hostname;
    const [, port] = ${JSON.stringify(platform.runtime.https_addr)}.split(':');
    https.get({ host: '127.0.0.1', port, path: '/seen', servername: host, headers: { host }, agent: false,
      ca: readFileSync(${JSON.stringify(platform.runtime.ca_path)}) }, async (response) => {
        resolve(response.statusCode + ' ' + Buffer.concat(await response.toArray()));
      }).once('error', reject);
  });`;

test('forward shares until the end of its block, and then the process may end', async () => {
  const done = await program(`${visitor()}
    import { forward } from 'postern/agent';
    let url;
    {
      await using shared = await forward({ to: ${upstream.port}, url: 'https://block.test' });
      url = shared.url;
      console.log(url, await visit(url));
    }
    console.log((await visit(url)).slice(0, 3));
  `);
  expect(done).toEqual({ code: 0, stdout: 'https://block.test 200 hello /seen\n404\n', stderr: '' });
});

test('connect serves several, also inside the process', async () => {
  const done = await program(`${visitor()}
    import http from 'node:http';
    import { connect } from 'postern/agent';
    const states = [];
    await using agent = await connect({ onStatus: ({ state }) => states.push(state) });
    const server = http.createServer((_request, response) => response.end('inside'));
    const one = await agent.listen({ to: 'localhost:${upstream.port}' });
    const two = await agent.listen({ to: (stream) => server.emit('connection', stream) });
    console.log(await visit(one.url), await visit(two.url));
    await one.close();
    console.log(await one.closed, (await visit(one.url)).slice(0, 3), await visit(two.url), states.join());
  `);
  expect(done).toEqual({
    code: 0,
    stdout: '200 hello /seen 200 inside\nundefined 404 200 inside connecting,online\n',
    stderr: '',
  });
});

test('what the server refuses is thrown, and leaves nothing open', async () => {
  const done = await program(`
    import { forward } from 'postern/agent';
    await forward({ to: 1, authtoken: 'nonsense' }).catch((error) => console.log(error.name, error.code));
  `);
  expect(done).toEqual({ code: 0, stdout: 'AgentError ERR_NGROK_105\n', stderr: '' });
});
