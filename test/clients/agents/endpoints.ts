/** Endpoints: what is asked for is what is served, what the SDK tells of it, and what the API shows. */
import assert from 'node:assert/strict';
import zlib from 'node:zlib';
import { until } from '../../support/until.ts';
import { ClientError, type Fields } from '../harness/program.ts';
import { type AgentDuty, type Bench, firstOf } from './bench.ts';

async function rowOf(bench: Bench, url: string): Promise<Record<string, unknown>> {
  const row = (await bench.world.rows('/endpoints')).find((one) => one['url'] === url);
  assert.ok(row, `no endpoint ${url}`);
  return row;
}

/** The error of a bind that must be refused. */
async function refusal(bench: Bench, session: string, fields: Fields): Promise<ClientError> {
  const error: unknown = await bench.listen(session, fields).then(
    () => assert.fail('it was bound'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ClientError, String(error));
  return error;
}

const policy = (type: string, config: object): string =>
  JSON.stringify({ on_http_request: [{ actions: [{ type, config }] }] });

async function web(bench: Bench, proto: 'http' | 'https'): Promise<void> {
  const session = await bench.connect();
  const random = await bench.listen(session, { proto });
  assert.match(random['url'], new RegExp(`^${proto}://[a-z0-9-]+\\.postern\\.localhost$`));
  const host = bench.world.host();
  const chosen = await bench.listen(session, { proto, url: `${proto}://${host}`, metadata: 'meta of an endpoint' });
  assert.equal(chosen['url'], `${proto}://${host}`);
  for (const { url } of [random, chosen]) {
    const answer = await bench.world.visit(`${url}/path?query=1`);
    assert.equal(answer.text, `GET /path?query=1 of ${new URL(url).host}`);
    assert.equal(answer.headers['x-service'], 'suite');
  }
  const row = await rowOf(bench, chosen['url']);
  assert.equal(row['proto'], proto);
  assert.equal(row['metadata'], 'meta of an endpoint');
  assert.equal(row['type'], 'ephemeral');
  if (chosen['metadata'] !== undefined) assert.equal(chosen['metadata'], 'meta of an endpoint');
}

export const ENDPOINTS: readonly AgentDuty[] = [
  { name: 'http', needs: ['forwards'], run: (bench) => web(bench, 'http') },
  { name: 'https', needs: ['forwards'], run: (bench) => web(bench, 'https') },
  {
    name: 'serve',
    needs: ['serves'],
    run: async (bench) => {
      const session = await bench.connect();
      const { url } = await bench.listen(session, { upstream: 'none' });
      const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => bench.world.visit(`${url}/${at}`)));
      for (const [at, answer] of answers.entries())
        assert.equal(answer.text, `GET /${at} of ${new URL(url).host}`, String(answer.status));
    },
  },
  {
    name: 'name',
    needs: ['name'],
    run: async (bench) => {
      const session = await bench.connect();
      const { url } = await bench.listen(session, { name: 'of-a-duty', description: 'what it is for' });
      const row = await rowOf(bench, url);
      assert.equal(row['name'], 'of-a-duty');
      assert.equal(row['description'], 'what it is for');
    },
  },
  {
    name: 'forwards to',
    needs: ['forwards-to'],
    run: async (bench) => {
      const session = await bench.connect();
      const { url } = await bench.listen(session, { forwards_to: 'my own app', upstream: 'none' });
      const row = (await bench.world.rows('/tunnels')).find((one) => one['public_url'] === url);
      assert.equal(row?.['forwards_to'], 'my own app');
    },
  },
  {
    name: 'tcp',
    needs: ['forwards'],
    run: async (bench) => {
      const session = await bench.connect();
      const upstream = `tcp://127.0.0.1:${bench.world.echo.port}`;
      const { url } = await bench.listen(session, { proto: 'tcp', upstream });
      assert.match(url, /^tcp:\/\/[^:]+:\d+$/);
      const socket = await bench.world.dial(url);
      socket.write('over tcp');
      assert.equal(String(await firstOf(socket)), 'over tcp');
      socket.destroy();
      assert.equal((await rowOf(bench, url))['proto'], 'tcp');
    },
  },
  {
    name: 'tls at edge',
    needs: ['tls-at-edge'],
    run: async (bench) => {
      const session = await bench.connect();
      const host = bench.world.host();
      const upstream = `tcp://127.0.0.1:${bench.world.echo.port}`;
      const files = await bench.world.keyFiles(host);
      await bench.listen(session, { proto: 'tls', url: `tls://${host}`, tls: 'edge', ...files, upstream });
      // With the certificate that the agent gave the edge.
      const socket = await bench.world.dialTls(host, { rejectUnauthorized: false });
      assert.equal(socket.getPeerCertificate().subject.CN, host);
      socket.write('ended at the edge');
      assert.equal(String(await firstOf(socket)), 'ended at the edge');
      socket.destroy();
    },
  },
  {
    name: 'tls at agent',
    needs: ['tls-at-agent'],
    run: async (bench) => {
      const session = await bench.connect();
      const host = bench.world.host();
      const files = await bench.world.keyFiles(host);
      await bench.listen(session, { proto: 'tls', url: `tls://${host}`, tls: 'agent', ...files, upstream: 'none' });
      const socket = await bench.world.dialTls(host, { rejectUnauthorized: false });
      // The agent's own certificate: the edge has not looked inside.
      assert.equal(socket.getPeerCertificate().subject.CN, host);
      assert.equal(socket.authorized, false);
      socket.write('ended at the agent');
      assert.equal(String(await firstOf(socket)), 'ended at the agent');
      socket.destroy();
    },
  },
  {
    name: 'mutual tls',
    needs: ['mutual-tls'],
    run: async (bench) => {
      const session = await bench.connect();
      const host = bench.world.host();
      const { ca, cert, key } = await bench.world.clientAuthority();
      await bench.listen(session, { url: `https://${host}`, mutual_tls_ca: ca });
      const [without, withCert] = await Promise.all([
        bench.world.visitTls(`https://${host}/x`, {}).then(
          ({ status }) => String(status),
          () => 'no connection',
        ),
        bench.world.visitTls(`https://${host}/x`, { cert, key }),
      ]);
      assert.notEqual(without, '200');
      assert.equal(withCert.text, `GET /x of ${host}`);
    },
  },
  {
    name: 'traffic policy',
    needs: ['policy'],
    run: async (bench) => {
      const session = await bench.connect();
      const traffic_policy = policy('custom-response', { status_code: 418, body: 'tea' });
      const { url } = await bench.listen(session, { traffic_policy });
      const answer = await bench.world.visit(url);
      assert.deepEqual([answer.status, answer.text], [418, 'tea']);
    },
  },
  {
    name: 'errors',
    needs: ['codes', 'policy'],
    run: async (bench) => {
      const session = await bench.connect();
      const unknown = await refusal(bench, session, { traffic_policy: policy('no-such-action', {}) });
      assert.match(unknown.code, /^ERR_NGROK_\d+$/, unknown.message);
      assert.match(unknown.message, /no-such-action/);
      const url = `https://${bench.world.host()}`;
      await bench.listen(session, { url });
      const taken = await refusal(bench, await bench.connect(), { url });
      assert.equal(taken.code, 'ERR_NGROK_334', taken.message);
      // The session that was refused something is as good as before.
      assert.equal((await bench.world.visit((await bench.listen(session))['url'])).status, 200);
    },
  },
  {
    name: 'options',
    needs: ['options'],
    run: async (bench) => {
      const session = await bench.connect();
      const { url } = await bench.listen(session, {
        basic_auth: ['user', 'password-of-it'],
        compression: true,
        allow_cidrs: ['127.0.0.0/8', '::1/128'],
        request_headers: { add: { 'x-added': 'by the edge' }, remove: ['x-removed'] },
        response_headers: { add: { 'x-out': 'by the edge' }, remove: ['x-service'] },
      });
      assert.equal((await bench.world.visit(`${url}/headers`)).status, 401);
      const authorization = `Basic ${Buffer.from('user:password-of-it').toString('base64')}`;
      const headers = { authorization, 'accept-encoding': 'gzip', 'x-removed': 'here' };
      const answer = await bench.world.visit(`${url}/headers`, { headers });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-encoding'], 'gzip');
      assert.equal(answer.headers['x-out'], 'by the edge');
      const seen = JSON.parse(zlib.gunzipSync(answer.bytes).toString());
      assert.equal(seen['x-added'], 'by the edge');
      assert.equal(seen['x-removed'], undefined);
      const denied = await bench.listen(session, { deny_cidrs: ['127.0.0.0/8', '::1/128'] });
      const refused = await bench.world.visit(denied['url']).then(
        ({ status }) => status,
        () => 403,
      );
      assert.equal(refused, 403);
    },
  },
  {
    name: 'pooling',
    needs: ['pooling'],
    run: async (bench) => {
      const url = `https://${bench.world.host()}`;
      const answering = (body: string): string => policy('custom-response', { status_code: 200, body });
      for (const body of ['one', 'two'])
        await bench.listen(await bench.connect(), { url, pooling: true, traffic_policy: answering(body) });
      const seen = new Set<string>();
      await until(async () => {
        seen.add((await bench.world.visit(url)).text);
        return seen.size === 2;
      });
      assert.deepEqual([...seen].toSorted(), ['one', 'two']);
    },
  },
];
