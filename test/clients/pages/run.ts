/** Programs of `docs/clients`, as a reader runs them: with the server's address, its authority and a token. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { until } from '../../support/until.ts';
import { CLIENTS, type Client } from '../harness/client.ts';
import type { Command } from '../harness/program.ts';
import { tryTool } from '../harness/toolchain.ts';
import { World } from '../harness/world.ts';

/** Starts it, waits for the URL that it prints, and visits that. */
export async function runPage(world: World, { command, args = [], cwd }: Command): Promise<void> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
    env: {
      ...process.env,
      POSTERN_AGENT: world.agentAddress,
      POSTERN_CA: world.caFile,
      NGROK_AUTHTOKEN: world.platform.authtoken,
    },
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  try {
    const url = await until(() => {
      if (child.exitCode !== null) throw new Error(output);
      return /^https:\/\/\S+$/m.exec(output)?.[0];
    });
    assert.match((await world.visit(url)).text, /^Hello from /);
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

export const CURL: Client = {
  language: 'curl',
  name: 'curl',
  tools: ['curl', 'sh'],
  run: async (report) => {
    const world = await World.start();
    try {
      await report.run('curl', 'page', async () => {
        const { code, output } = await tryTool({
          command: 'sh',
          args: [path.join(CLIENTS, 'pages', 'curl.sh')],
          env: { POSTERN_API: world.platform.runtime.api_url, POSTERN_API_KEY: world.platform.apiKey },
        });
        assert.equal(code, 0, output);
        assert.equal((await world.visit('https://hello.example.com/')).text, 'Hello from curl');
      });
    } finally {
      await world.dispose();
    }
  },
};
