/** npm's `ngrok`, unmodified, with our command in the place of its binary. Arguments: its folder, how many starts. */
const assert = require('node:assert/strict');
const https = require('node:https');
const { readFileSync, writeFileSync } = require('node:fs');

const [folder, starts] = process.argv.slice(2);
const { BIN, CA, CONFIG, HTTPS_PORT, PORT, TOKEN } = process.env;
const ngrok = require(folder);
const binPath = () => BIN;

/** What a visitor of the URL gets, and with which status. */
function visit(url) {
  const { hostname } = new URL(url);
  const options = {
    host: '127.0.0.1',
    port: HTTPS_PORT,
    servername: hostname,
    headers: { host: hostname },
    ca: readFileSync(CA),
  };
  return new Promise((resolve, reject) => {
    https
      .get(options, (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode));
      })
      .once('error', reject);
  });
}

async function whole() {
  const states = [];
  const url = await ngrok.connect({
    addr: Number(PORT),
    authtoken: TOKEN,
    binPath,
    onStatusChange: (state) => states.push(state),
  });
  assert.match(url, /^https:\/\//);
  assert.deepEqual(states, ['connected']);
  assert.equal(await visit(url), 200);
  const locked = await ngrok.connect({
    proto: 'http',
    addr: Number(PORT),
    name: 'locked',
    // As each of them has it.
    ...(folder.endsWith('4')
      ? { auth: 'ada:longpassword', bind_tls: true }
      : { basic_auth: ['ada:longpassword'], schemes: ['https'] }),
    host_header: 'rewrite',
    subdomain: 'locked',
    configPath: CONFIG,
    binPath,
  });
  assert.match(locked, /^https:\/\/locked\./);
  assert.equal(await visit(locked), 401);
  assert.match(await ngrok.connect({ proto: 'tcp', addr: Number(PORT), binPath }), /^tcp:\/\//);
  const api = ngrok.getApi();
  const { tunnels } = await api.listTunnels();
  assert.equal(tunnels.length, 3);
  // Version 5 gives it a name of its own.
  const { name } = tunnels.find(({ public_url: shown }) => shown === locked);
  assert.equal((await api.tunnelDetail(name)).public_url, locked);
  assert.equal((await api.listRequests()).requests.length, 1);
  await ngrok.disconnect(locked);
  assert.equal((await api.listTunnels()).tunnels.length, 2);
  await ngrok.disconnect();
  assert.equal((await api.listTunnels()).tunnels.length, 0);
  await assert.rejects(
    ngrok.connect({
      addr: Number(PORT),
      proto: 'http',
      name: 'wrong',
      ...(folder.endsWith('4') ? { auth: 'short' } : { basic_auth: ['short'] }),
      configPath: CONFIG,
      binPath,
    }),
  );
  await ngrok.kill();
  assert.match(await ngrok.getVersion({ binPath }), /\d+\.\d+\.\d+/);
  await ngrok.authtoken({ authtoken: 'T', binPath, configPath: CONFIG });
}

async function main() {
  writeFileSync(CONFIG, 'version: "2"\n');
  await whole();
  for (let at = 0; at < Number(starts); at += 1) {
    const url = await ngrok.connect({ addr: Number(PORT), binPath });
    assert.equal(await visit(url), 200);
    await ngrok.kill();
  }
  over = true;
  process.exitCode = 0;
}
// It waits for ever for the address of an agent that has ended, and nothing keeps this process then.
let over = false;
process.exitCode = 1;
process.once('exit', () => {
  if (!over) process.stderr.write('its agent has ended before it was ready\n');
});
main().catch((error) => {
  over = true;
  process.stderr.write(`${error.stack ?? error} ${JSON.stringify(error.body ?? null)}\n`);
  process.exit(1);
});
