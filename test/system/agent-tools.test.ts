/** The console on a terminal, and commands around the agent: diagnose, service, completion, update. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postern, type CommandResult } from '../support/cli.ts';
import { requireJudge } from '../support/judge.ts';
import { mainOf, Platform, repositoryRoot } from '../support/platform.ts';
import { Tunnel } from '../support/tunnel.ts';
import { until } from '../support/until.ts';
import { httpUpstream, type Upstream } from '../support/upstream.ts';

let platform: Platform;
let upstream: Upstream;
let status = 200;
let body = 'hello';
beforeAll(async () => {
  platform = await Platform.start();
  upstream = await httpUpstream((_request, response) => response.writeHead(status).end(body));
});
afterAll(async () => {
  await platform?.dispose();
  await upstream?.close();
});
const run = (line: string, env: NodeJS.ProcessEnv = {}): Promise<CommandResult> =>
  postern(line.split(' '), { HOME: platform.dataDir, XDG_CONFIG_HOME: platform.dataDir, ...env });

/** util-linux's `script` gives a program a terminal. */
function hasScript(): boolean {
  try {
    execFileSync('script', ['--version'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    requireJudge('script', error instanceof Error ? error.message : String(error));
    return false;
  }
}

describe.runIf(hasScript())('on a terminal', () => {
  test('there is a console: status, address, requests; Ctrl+C leaves the last screen and ends with 0', async () => {
    const command = `stty cols 90 rows 30; exec ${process.execPath} ${mainOf(repositoryRoot)} http ${upstream.port} --url https://drawn.test`;
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      cwd: platform.dataDir,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, HOME: platform.dataDir, XDG_CONFIG_HOME: platform.dataDir, TERM: 'xterm' },
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    let shown = '';
    child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    try {
      await until(() => shown.includes(`https://drawn.test -> http://localhost:${upstream.port}`));
      expect(shown).toMatch(/Session Status +\S*online/);
      expect(shown).toMatch(/Web Interface +http:\/\/127\.0\.0\.1:\d+/);
      expect((await platform.visit('https://drawn.test/seen')).status).toBe(200);
      await until(() => /GET \/seen +200/.test(shown));
      child.stdin.write('\u0003');
      expect(await ended).toBe(0);
    } finally {
      child.kill('SIGKILL');
    }
  });
});

test('a service that refuses the public name: the flag is named', async () => {
  const shared = Tunnel.beside(platform, ['http', String(upstream.port)]);
  try {
    const url = await shared.url();
    [status, body] = [403, 'Blocked request. This host ("a.test") is not allowed.'];
    expect((await platform.visit(url)).status).toBe(403);
    await until(() => shared.stderr.includes('--host-header rewrite'));
  } finally {
    [status, body] = [200, 'hello'];
    await shared.stop();
  }
});

test('a QR code on request', async () => {
  const shared = Tunnel.beside(platform, ['http', String(upstream.port), '--qr']);
  try {
    await shared.url();
    await until(() => shared.stdout.split('\n').filter((line) => line.includes('█')).length > 10);
  } finally {
    await shared.stop();
  }
});

describe('diagnose', () => {
  test('goes the way to the server step by step, and writes a report', async () => {
    const report = path.join(platform.dataDir, 'report.json');
    const { code, stdout, stderr } = await run(`diagnose -w ${report}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const step of ['Name Resolution', 'TCP', 'TLS', 'Tunnel Protocol'])
      expect(stdout).toMatch(new RegExp(`^${step} +\\[ OK \\] {2}\\S`, 'm'));
    expect(JSON.parse(await readFile(report, 'utf8'))).toMatchObject({ ok: true });
  });

  test('says where it ends and what to give', async () => {
    const { port } = new URL(`http://${platform.runtime.agent_addr}`);
    const untrusted = await run(`diagnose --connect-url localhost:${port} --authtoken T`);
    expect(untrusted.code).toBe(1);
    expect(untrusted.stdout).toMatch(/Tunnel Protocol +\[ FAIL \] .*--connect-cas FILE/);
    const refused = await run('diagnose --connect-url 127.0.0.1:1 --authtoken T');
    expect(refused.stdout).toMatch(/TCP +\[ FAIL \] .*ECONNREFUSED.*\nTLS +\[ -- \]\n/);
    const wrong = await run('diagnose --authtoken nonsense');
    expect(wrong.stdout).toMatch(/Tunnel Protocol +\[ FAIL \] .*\(ERR_NGROK_105\)/);
  });
});

describe('service', () => {
  test('writes a unit that starts everything in the configuration', async () => {
    const config = path.join(platform.dataDir, 'my service.yml');
    await writeFile(config, 'version: 3\n');
    const { code, stdout } = await postern(['service', 'install', '--dry-run', '--config', config]);
    expect(code).toBe(0);
    expect(stdout).toContain(`start --all --log stdout --config "${config}"`);
    expect(stdout).toMatch(/# systemctl (--user )?enable postern-agent/);
    const unit = path.join(platform.dataDir, 'postern-agent.service');
    await writeFile(unit, stdout.split('\n').slice(1).join('\n').replaceAll(/^#.*$/gm, ''));
    try {
      execFileSync('systemd-analyze', ['--version'], { stdio: 'ignore' });
    } catch (error) {
      requireJudge('systemd-analyze', error instanceof Error ? error.message : String(error));
      return;
    }
    expect(execFileSync('systemd-analyze', ['verify', '--man=no', unit], { stdio: 'pipe' }).toString()).toBe('');
  });

  test('writes a unit for the server that systemd finds sound, and confined', async () => {
    const config = path.join(platform.dataDir, 'server 100%.yml');
    await writeFile(config, 'base_domain: tun.example.com\n');
    const { code, stdout } = await postern(['service', 'install', '--server', '--dry-run', '--config', config]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^# \/etc\/systemd\/system\/postern\.service\n/);
    expect(stdout).toMatch(/^ExecStart=\S+ \S+postern\.js server --config %d\/config\.yml --data-dir %S\/postern$/m);
    const unit = path.join(platform.dataDir, 'postern.service');
    await writeFile(unit, stdout.split('\n').slice(1).join('\n').replaceAll(/^#.*$/gm, ''));
    try {
      execFileSync('systemd-analyze', ['--version'], { stdio: 'ignore' });
    } catch (error) {
      requireJudge('systemd-analyze', error instanceof Error ? error.message : String(error));
      return;
    }
    expect(execFileSync('systemd-analyze', ['verify', '--man=no', unit], { stdio: 'pipe' }).toString()).toBe('');
    // Of 100, where 0 is a program that can do nothing; it fails above.
    const judged = execFileSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', unit]).toString();
    expect(judged).toMatch(/Overall exposure level for postern\.service: 1\.\d OK/);
  });

  test('needs a configuration that is there', async () => {
    expect(await run('service install')).toMatchObject({ code: 2, stderr: expect.stringContaining('--config FILE') });
    expect(await run('service install --config absent.yml')).toMatchObject({ code: 2 });
    const home = path.join(platform.dataDir, 'nobody');
    await mkdir(home);
    expect(await run('service start', { HOME: home, XDG_CONFIG_HOME: home })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('not installed'),
    });
  });
});

test.concurrent.each(['bash', 'zsh', 'fish', 'powershell'])('completion %s prints a script', async (shell) => {
  const { code, stdout, stderr } = await run(`completion ${shell}`);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('complete');
});

test('completions know commands, flags and resources of the API', async () => {
  expect((await run('complete -- ht')).stdout).toContain('http');
  expect((await run('complete -- http --traffic-pol')).stdout).toContain('--traffic-policy-file');
  expect((await run('complete -- api endp')).stdout).toContain('endpoints');
});

test('update says how', async () => {
  expect(await run('update --channel stable --log stdout')).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringContaining('npm install -g'),
  });
});
