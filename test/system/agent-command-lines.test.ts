/** Command lines as users of the v3 agent type them: each does what was meant, or says what to type instead. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { postern } from '../support/cli.ts';
import { Platform, splitAddress } from '../support/platform.ts';
import { Tunnel } from '../support/tunnel.ts';
import { until } from '../support/until.ts';
import { httpUpstream, tcpEcho, type Upstream } from '../support/upstream.ts';

let platform: Platform;
let upstream: Upstream;
let echo: Upstream;
const tunnels: Tunnel[] = [];

beforeAll(async () => {
  platform = await Platform.start();
  upstream = await httpUpstream((request, response) => {
    response.end(`${request.method} ${request.url} host=${request.headers.host} a=${String(request.headers['x-a'])}`);
  });
  echo = await tcpEcho('hi ');
  await mkdir(path.join(platform.dataDir, 'site'));
  await writeFile(path.join(platform.dataDir, 'site', 'index.html'), 'the index');
  await writeFile(path.join(platform.dataDir, 'p.yml'), 'on_http_request:\n- actions:\n  - type: deny\n');
});
afterEach(async () => {
  await Promise.all(tunnels.splice(0).map((started) => started.stop('SIGKILL')));
});
afterAll(async () => {
  await platform?.dispose();
  await Promise.all([upstream?.close(), echo?.close()]);
});

/** `%p` the port of a web service, `%e` of an echo, `%d` the folder. */
function typed(line: string): string[] {
  const places: Record<string, string> = {
    '%p': String(upstream.port),
    '%e': String(echo.port),
    '%d': platform.dataDir,
  };
  return line.split(' ').map((word) => word.replace(/%[ped]/, (place) => places[place] ?? ''));
}
function tunnel(...args: string[]): Tunnel {
  const started = Tunnel.beside(platform, args);
  tunnels.push(started);
  return started;
}
const basic = (credentials: string) => ({ authorization: `Basic ${Buffer.from(credentials).toString('base64')}` });

describe('lines that work', () => {
  const SAYS = 'GET / host=';
  test.each<
    [
      line: string,
      warns: string,
      url: RegExp,
      visit: { headers?: Record<string, string> },
      status: number,
      text: string,
    ]
  >([
    ['http %p', '', /^https:\/\/\w+\.postern\.localhost$/, {}, 200, SAYS],
    ['http localhost:%p --url=https://v3.test', '', /^https:\/\/v3\.test$/, {}, 200, `${SAYS}v3.test`],
    ['http http://127.0.0.1:%p --url v3b.test --inspect=false', '', /v3b\.test/, {}, 200, SAYS],
    ['http --inspect %p --pooling-enabled=false', '', /^https:/, {}, 200, SAYS],
    ['http --domain=dom.test %p', '--url dom.test', /^https:\/\/dom\.test$/, {}, 200, SAYS],
    ['http %p --hostname host.test', '--url host.test', /^https:\/\/host\.test$/, {}, 200, SAYS],
    ['http %p --subdomain sub', '--url sub.<base domain', /^https:\/\/sub\.postern\.localhost$/, {}, 200, SAYS],
    ['http %p --scheme http', '--url http://…', /^http:\/\/\w+\.postern\.localhost$/, {}, 200, SAYS],
    ['http %p --basic-auth ada:longpassword', 'basic-auth', /^https:/, {}, 401, ''],
    [
      'http %p --basic-auth=ada:longpassword',
      'basic-auth',
      /^https:/,
      { headers: basic('ada:longpassword') },
      200,
      SAYS,
    ],
    ['http %p --host-header=rewrite', 'add-headers', /^https:/, {}, 200, `${SAYS}localhost:`],
    ['http %p --host-header app.local', 'add-headers', /^https:/, {}, 200, `${SAYS}app.local`],
    ['http %p --request-header-add x-a:b', 'add-headers', /^https:/, {}, 200, 'a=b'],
    ['http %p --cidr-deny 127.0.0.0/8', 'restrict-ips', /^https:/, {}, 403, ''],
    ['http %p --ua-filter-deny curl', 'deny', /^https:/, { headers: { 'user-agent': 'curl/8' } }, 403, ''],
    ['http %p --ua-filter-deny curl', 'deny', /^https:/, { headers: { 'user-agent': 'other' } }, 200, SAYS],
    ['http %p --compression --region eu', 'compress-response', /^https:/, {}, 200, SAYS],
    ['http %p --policy-file %d/p.yml', '--traffic-policy-file', /^https:/, {}, 403, ''],
    ['http %p --app-protocol http1 --circuit-breaker 0.9', '--upstream-protocol http1', /^https:/, {}, 200, SAYS],
    ['http file://%d/site', '', /^https:/, {}, 200, 'the index'],
    ['http -config=%d/empty.yml %p', '', /^https:/, {}, 200, SAYS],
  ])('postern %s', async (line, warns, url, visit, status, text) => {
    await writeFile(path.join(platform.dataDir, 'empty.yml'), 'version: 3\n');
    const shared = tunnel(...typed(line));
    const shown = await shared.url();
    expect(shown).toMatch(url);
    const answer = await platform.visit(`${shown}/`, visit);
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(text)]);
    if (warns === '') expect(shared.stderr).toBe('');
    else expect(shared.stderr).toContain(warns);
    expect((await shared.stop()).code).toBe(0);
  });

  test('postern http --bind-tls both: one name, both schemes', async () => {
    const shared = tunnel('http', String(upstream.port), '--bind-tls', 'both');
    const urls = await until(() => {
      const found = [...shared.stdout.matchAll(/^url=(\S+)$/gm)].map(([, url = '']) => url);
      return found.length === 2 ? found : null;
    });
    const [secure = '', plain = ''] = urls;
    expect(plain).toBe(secure.replace('https:', 'http:'));
    for (const url of urls) expect((await platform.visit(`${url}/`)).status).toBe(200);
  });

  test('postern tcp --remote-addr, and who may connect', async () => {
    const [, from = ''] = /(\d+)-/.exec(platform.runtime.tcp_ports) ?? [];
    const shared = tunnel('tcp', String(echo.port), '--remote-addr', from, '--cidr-allow', '127.0.0.0/8');
    expect(await shared.url()).toBe(`tcp://localhost:${from}`);
    expect(shared.stderr).toContain(`--remote-addr is an older spelling; today: --url tcp://${from}`);
  });
});

describe('lines that say what to type', () => {
  test.concurrent.each([
    ['http 3000 --poling-enabled', '(Did you mean --pooling-enabled?)'],
    ['http 3000 --trafic-policy-file p.yml', '(Did you mean --traffic-policy-file?)'],
    ['strat --all', '(Did you mean start?)'],
    ['http 3000 --inspect=maybe', 'It is true or false.'],
    ['start web', 'There is no endpoint web'],
    ['start', 'give --all or --none'],
    ['start --all --none', 'not two of them'],
    ['http 3000 --config absent.yml', 'There is no configuration file'],
    ['config add-authtoken', 'missing required argument'],
    ['config chek', '(Did you mean check?)'],
  ])('postern %s: %s', async (line, words) => {
    const { code, stdout, stderr } = await Tunnel.beside(platform, line.split(' ')).ended;
    expect(stderr).toContain(words);
    // Without a terminal, start logs.
    expect(stdout.replace(/^t=\S+ lvl=eror msg=failed .*\n$/, '')).toBe('');
    expect(code).toBe(2);
  });
});

describe('the configuration', () => {
  const home = async (name: string): Promise<string> => {
    const folder = path.join(platform.dataDir, name);
    await mkdir(folder);
    return folder;
  };
  const isolated = (folder: string) => ({ HOME: folder, XDG_CONFIG_HOME: folder });

  test('is made by config add-…, found by itself, and leads to its server with its token', async () => {
    const folder = await home('made');
    const env = isolated(folder);
    const file = path.join(folder, 'postern', 'agent.yml');
    const address = `localhost:${splitAddress(platform.runtime.agent_addr)[1]}`;
    const saved = await postern(['config', 'add-authtoken', platform.authtoken], env);
    expect(saved).toMatchObject({ code: 0, stderr: '' });
    expect(saved.stdout).toContain(`Authtoken saved to configuration file: ${file}\n`);
    expect((await postern(['config', 'add-connect-url', address], env)).stdout).toContain('Connect URL saved');
    expect((await postern(['config', 'add-api-key', 'K'], env)).stdout).toContain('API key saved');
    const checked = await postern(['config', 'check'], env);
    expect(checked).toEqual({ code: 0, stdout: `Valid configuration file at ${file}\n`, stderr: '' });

    // Whom to trust was not said yet: an error with the remedy, and no endless retry.
    const doubting = await new Tunnel(['http', String(upstream.port)], { cwd: folder, env }).ended;
    expect(doubting).toMatchObject({ code: 1, stdout: '' });
    expect(doubting.stderr).toContain('give it with --connect-cas FILE');

    await writeFile(file, `${await readFile(file, 'utf8')}  connect_cas: ${platform.runtime.ca_path}\n`);
    const shared = new Tunnel(['http', String(upstream.port)], { cwd: folder, env });
    tunnels.push(shared);
    expect((await platform.visit(await shared.url())).status).toBe(200);
  });

  test('names endpoints for start; several files are merged; logs are lines', async () => {
    const folder = await home('started');
    const one = path.join(folder, 'one.yml');
    const two = path.join(folder, 'two.yml');
    await writeFile(
      one,
      'version: 3\nagent: { log_format: json }\nendpoints:\n- { name: web, url: https://one.test, upstream: { url: 1 } }\n',
    );
    await writeFile(
      two,
      `version: 2\ntunnels:\n  web: { proto: http, addr: ${upstream.port}, hostname: two.test }\n` +
        `  bytes: { proto: tcp, addr: ${echo.port} }\n`,
    );
    const shared = tunnel('start', '--all', `--config=${one},${two}`);
    await until(() => shared.stdout.split('started tunnel').length === 3);
    const lines = shared.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const started = lines.filter(({ msg }) => msg === 'started tunnel');
    expect(started.map(({ name }) => name)).toEqual(['web', 'bytes']);
    expect(started[0]).toMatchObject({
      lvl: 'info',
      addr: `http://localhost:${upstream.port}`,
      url: 'https://two.test',
    });
    expect((await platform.visit('https://two.test/')).status).toBe(200);
    expect((await shared.stop()).code).toBe(0);
  });

  test('start --none, as wrappers run it: lines of logfmt on stdout, nothing on stderr', async () => {
    const file = path.join(platform.dataDir, 'wrapper.yml');
    await writeFile(file, 'version: "2"\nlog_format: term\nauthtoken: of-somebody-else\n');
    const shared = tunnel('--config', file, 'start', '--none', '--log=stdout', '--region', 'us');
    await until(() => shared.stdout.includes('client session established'));
    expect(shared.stdout).toMatch(/^t=\S+ lvl=info msg="tunnel session started" obj=tunnels\.session server=/m);
    expect(await shared.stop()).toMatchObject({ code: 0, stderr: '' });
  });

  test('wrong ones are refused with line and column; check says the same with exit code 1', async () => {
    const file = path.join(platform.dataDir, 'wrong.yml');
    await writeFile(file, 'version: 3\nagent:\n  web_adr: x\n');
    const words = `${file}:3:3: there is no key "web_adr" in agent; did you mean "web_addr"?`;
    const refused = await Tunnel.beside(platform, ['start', '--none', '--config', file]).ended;
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: `ERROR:  ${words}\n` });
    expect(await postern(['config', 'check', '--config', file])).toEqual({ code: 1, stdout: '', stderr: `${words}\n` });
  });

  test('upgrade writes version 3, keeps what was there, and names what has no place', async () => {
    const file = path.join(platform.dataDir, 'old.yml');
    const old = `version: 2\nregion: eu\nauthtoken: T\ntunnels:\n  web: { proto: http, addr: ${upstream.port} }\n`;
    await writeFile(file, old);
    const dry = await postern(['config', 'upgrade', '--dry-run', '--config', file]);
    expect(dry.stdout).toContain('version: 3\nagent:\n  authtoken: T\n');
    expect(await readFile(file, 'utf8')).toBe(old);
    const done = await postern(['config', 'upgrade', '--config', file]);
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(done.stdout).toContain('not kept region: a server has no regions');
    expect(await readFile(`${file}.v2.bak`, 'utf8')).toBe(old);
    expect((await postern(['config', 'check', '--config', file])).code).toBe(0);
    expect((await postern(['config', 'upgrade', '2', '--config', file])).stderr).toContain('there is no way back');
    expect((await postern(['config', 'upgrade', '--config', file])).stdout).toContain('of version 3 already');
  });

  test('edit opens the editor on whatever is there, and says what is wrong afterwards', async () => {
    const file = path.join(platform.dataDir, 'edited.yml');
    await writeFile(file, 'not: [yaml');
    const write = (text: string): string =>
      `${process.execPath} --eval require("fs").writeFileSync(process.argv[1],"${text}")`;
    const wrong = await postern(['config', 'edit', '--config', file], { EDITOR: write('version:\\x209') });
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('version 9 is not known') });
    const right = await postern(['config', 'edit', '--config', file], { EDITOR: write('version:\\x203') });
    expect(right).toMatchObject({ code: 0, stdout: expect.stringContaining('Valid configuration file') });
  });

  test('authtoken T --config F, as wrappers of older agents call it', async () => {
    const file = path.join(platform.dataDir, 'by-wrapper.yml');
    const { code, stdout, stderr } = await postern(['authtoken', 'T', `--config=${file}`]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Authtoken saved');
    expect(await readFile(file, 'utf8')).toBe('version: 3\nagent:\n  authtoken: T\n');
  });
});
