/** What is asked of each framework's server through the tunnel: what its users rely on, and tunnels often break. */
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { until } from '../../support/until.ts';
import { eventsOf, messageOf, type Site } from './site.ts';

export interface Check {
  readonly name: string;
  readonly run: (site: Site) => Promise<void>;
}

const VISITOR = '127.0.0.1';

/** The second event is sent only when the visitor has asked for it, who has read the first by then. */
export const EVENTS: Check = {
  name: 'events arrive one by one',
  run: async (site) => {
    const opened = await site.open('/events', { accept: 'text/event-stream' });
    const events = eventsOf(opened);
    assert.equal((await events.next()).value, '1');
    assert.equal((await site.visit('/tick', { method: 'POST' })).status, 200);
    assert.equal((await events.next()).value, '2');
    opened.request.destroy();
  },
};

export const LEAVING: Check = {
  name: 'who leaves an event stream is noticed',
  run: async (site) => {
    const opened = await site.open('/events');
    await eventsOf(opened).next();
    const left = async (): Promise<number> => Number(JSON.parse((await site.visit('/left')).text).left);
    const before = await left();
    opened.request.destroy();
    await until(async () => (await left()) > before);
  },
};

export const SOCKET: Check = {
  name: 'WebSocket',
  run: async (site) => {
    const socket = await site.socket('/socket', ['echo']);
    assert.equal(socket.protocol, 'echo');
    for (const text of ['one', 'zwei', 'x'.repeat(100_000)]) {
      socket.send(text);
      assert.equal(await messageOf(socket), `echo ${text}`);
    }
    socket.terminate();
  },
};

export const CLOSE_CODE: Check = {
  name: 'WebSocket close code',
  run: async (site) => {
    const socket = await site.socket('/socket', ['echo']);
    socket.send('end');
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
    assert.deepEqual([code, reason.toString()], [4001, 'as asked']);
  },
};

export const seesVisitor = (wanted: (site: Site) => unknown): Check => ({
  name: 'sees scheme, host and address of the visitor',
  run: async (site) => assert.deepEqual(JSON.parse((await site.visit('/seen')).text), wanted(site)),
});

export const FASTAPI_SEEN = seesVisitor((site) => ({ url: `${site.url}/seen`, client: VISITOR }));
export const FLASK_SEEN = seesVisitor((site) => ({ there: `${site.url}/count`, client: VISITOR, secure: true }));
export const SPRING_SEEN = seesVisitor((site) => ({ url: `${site.url}/seen`, secure: true, client: VISITOR }));

export const says = (name: string, at: string, wanted: (site: Site) => string): Check => ({
  name,
  run: async (site) => {
    const answer = await site.visit(at);
    assert.deepEqual([answer.status, answer.text], [200, wanted(site)]);
  },
});

export const DJANGO: readonly Check[] = [
  says('absolute addresses are public ones', '/absolute/', (site) => `${site.url}/there/?a=1`),
  {
    name: 'redirects lead to the public address',
    run: async (site) => {
      const answer = await site.visit('/away/');
      assert.deepEqual([answer.status, answer.headers['location']], [302, `${site.url}/form/`]);
    },
  },
  {
    name: 'a form is taken from its own origin only',
    run: async (site) => {
      const form = await site.visit('/form/');
      const [cookie = ''] = form.headers['set-cookie'] ?? [];
      const post = (origin: string): ReturnType<Site['visit']> =>
        site.visit('/form/', {
          method: 'POST',
          headers: {
            cookie: cookie.split(';')[0] ?? '',
            origin,
            'x-csrftoken': form.text,
            'content-type': 'application/x-www-form-urlencoded',
          },
          body: 'text=by+hand',
        });
      const own = await post(site.url);
      assert.deepEqual([own.status, own.text], [200, 'saved by hand']);
      assert.equal((await post('https://elsewhere.example.com')).status, 403);
    },
  },
];

export const FLASK: readonly Check[] = [
  FLASK_SEEN,
  {
    name: 'a session lives in its cookie',
    run: async (site) => {
      const first = await site.visit('/count');
      const [cookie = ''] = first.headers['set-cookie'] ?? [];
      assert.match(cookie, /; Secure/);
      const second = await site.visit('/count', { headers: { cookie: cookie.split(';')[0] ?? '' } });
      assert.deepEqual([JSON.parse(first.text), JSON.parse(second.text)], [{ count: 1 }, { count: 2 }]);
    },
  },
  {
    name: 'an upload arrives whole',
    run: async (site) => {
      const body = 'all of it '.repeat(400_000);
      const answer = await site.visit('/sum', { method: 'POST', body });
      assert.equal(answer.text, `${body.length} ${createHash('sha256').update(body).digest('hex')}`);
    },
  },
];

/** As a notebook in a browser does: a kernel, and what it prints, over the messages of Jupyter's protocol. */
export const jupyter = (token: string): Check => ({
  name: 'a kernel runs code over its WebSocket',
  run: async (site) => {
    const headers = { authorization: `token ${token}`, 'content-type': 'application/json', origin: site.url };
    const made = await site.visit('/api/kernels', { method: 'POST', headers, body: '{"name":"python3"}' });
    assert.equal(made.status, 201, made.text);
    const { id } = JSON.parse(made.text);
    const socket = await site.socket(`/api/kernels/${id}/channels?token=${token}`);
    const seen: string[] = [];
    socket.on('message', (data: Buffer) => seen.push(data.toString()));
    const message = {
      header: {
        msg_id: randomUUID(),
        session: randomUUID(),
        username: '',
        msg_type: 'execute_request',
        version: '5.3',
      },
      parent_header: {},
      metadata: {},
      channel: 'shell',
      content: { code: 'print("six times seven is", 6 * 7)', silent: false, store_history: false },
    };
    socket.send(JSON.stringify(message));
    await until(() => seen.some((text) => text.includes('six times seven is 42')));
    socket.terminate();
    assert.equal((await site.visit(`/api/kernels/${id}`, { method: 'DELETE', headers })).status, 204);
  },
});

/** BackMsg { rerun_script = 11: {} }, as the page sends it when it has loaded. */
const RERUN = Buffer.from([0x5a, 0x00]);

export const STREAMLIT: readonly Check[] = [
  {
    name: 'the page loads',
    run: async (site) => assert.match((await site.visit('/')).text, /<div id="root">/),
  },
  {
    name: 'the script writes into the page over its WebSocket',
    run: async (site) => {
      const socket = await site.socket('/_stcore/stream', ['streamlit']);
      let seen = '';
      socket.on('message', (data: Buffer) => (seen += data.toString('latin1')));
      socket.send(RERUN);
      await until(() => seen.includes('Through the tunnel') && seen.includes('written by the script'));
      socket.terminate();
    },
  },
];

export const HTTPUTIL: readonly Check[] = [
  says('sees host and address of the visitor', '/seen', (site) => `${site.host} ${VISITOR}, ${VISITOR}`),
  EVENTS,
  {
    name: 'trailers arrive',
    run: async (site) => {
      const opened = await site.open('/trailers', { te: 'trailers', 'transfer-encoding': 'chunked' });
      opened.request.end('twelve bytes');
      const answer = await opened.answer;
      answer.resume();
      await once(answer, 'end');
      assert.equal(answer.trailers['x-length'], '12');
    },
  },
  {
    name: 'a connection is taken over',
    run: async (site) => {
      const { request } = await site.open('/taken', { connection: 'upgrade', upgrade: 'lines' });
      request.end();
      const [, socket] = await once(request, 'upgrade');
      socket.write('a line\n');
      assert.equal(String((await once(socket, 'data'))[0]), 'echo a line\n');
      socket.destroy();
    },
  },
];

export const AXUM: readonly Check[] = [
  says('sees host, scheme and address of the visitor', '/seen', (site) => `${site.host} https ${VISITOR}`),
  EVENTS,
  SOCKET,
];

export const SPRING: readonly Check[] = [
  SPRING_SEEN,
  EVENTS,
  {
    name: 'an upload arrives whole',
    run: async (site) => {
      const body = 'x'.repeat(1_000_000);
      const headers = { 'content-type': 'application/octet-stream' };
      assert.equal((await site.visit('/length', { method: 'POST', body, headers })).text, '1000000');
    },
  },
];

/** @param folder of the app, whose files the check edits */
export const vite = (folder: string): readonly Check[] => [
  {
    name: 'page and modules load',
    run: async (site) => {
      assert.match((await site.visit('/')).text, /\/@vite\/client/);
      assert.match((await site.visit('/main.js')).text, /as first written/);
    },
  },
  {
    name: 'an edit reaches the open page',
    run: async (site) => {
      const client = (await site.visit('/@vite/client')).text;
      const token = /wsToken = "([^"]+)"/.exec(client)?.[1] ?? '';
      const socket = await site.socket(`/?token=${token}`, ['vite-hmr']);
      const seen: string[] = [];
      socket.on('message', (data: Buffer) => seen.push(data.toString()));
      // A module that no page has loaded is nobody's update.
      await site.visit('/main.js');
      const file = path.join(folder, 'main.js');
      await writeFile(file, (await readFile(file, 'utf8')).replace('as first written', 'as edited'));
      await until(() => seen.some((text) => /"type":"(?:update|full-reload)"/.test(text)));
      assert.match((await site.visit(`/main.js?t=${Date.now()}`)).text, /as edited/);
      socket.terminate();
    },
  },
];

/** A server that was not told of the name refuses it; the agent says so, and what to type. */
export const VITE_UNTOLD: Check = {
  name: 'a host that it refuses is explained by the agent',
  run: async (site) => {
    const answer = await site.visit('/page.html');
    assert.equal(answer.status, 403);
    assert.match(answer.text, /allowedHosts/);
    await until(() => /host-header/.test(site.said));
  },
};

export const NEXT: readonly Check[] = [
  {
    name: 'a page is made on the server',
    run: async (site) => assert.match((await site.visit('/')).text, new RegExp(`https for ${site.host}`)),
  },
  {
    name: 'the page follows its files over a WebSocket',
    run: async (site) => {
      await site.greeting('/_next/hmr?id=a');
    },
  },
];
