import type { Server } from 'node:http';
import { z } from 'zod';
import { createApi, type ApiOptions } from '../api.ts';
import { API_KEY, createFakeControl } from './fake-control.ts';

export const BASE = 'https://api.example.test';
const NOW = Date.parse('2025-09-10T00:00:00Z');

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** The parsed body; {} for an empty one. */
  readonly json: Record<string, unknown>;
}

export interface Ask {
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON with its content type, a string as it is. */
  readonly body?: object | string;
}

const METHOD = z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const OBJECT = z.record(z.string(), z.unknown());
const ROWS = z.array(z.looseObject({ id: z.string() }));

export function parsed(body: string): Record<string, unknown> {
  return OBJECT.parse(JSON.parse(body));
}

/** The ids of a list's rows, in their order. */
export function idsOf(rows: unknown): string[] {
  return ROWS.parse(rows).map(({ id }) => id);
}

/** The API over a fake control, with a clock that the test moves and a log that it can read. */
export async function createApiUnderTest(overrides: Partial<ApiOptions> = {}) {
  const fake = createFakeControl();
  const clock = { time: NOW, now: () => clock.time };
  const logged: { readonly level: string; readonly fields: object; readonly message: string }[] = [];
  const note = (level: string) => (fields: object, message: string) => void logged.push({ level, fields, message });
  let operations = 0;
  const api = await createApi({
    control: fake.control,
    publicBaseUrl: () => BASE,
    version: '0.0.0-test',
    clock,
    operationId: () => `op_${String((operations += 1)).padStart(27, '0')}`,
    log: { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') },
    ...overrides,
  });

  /** `target` is a method and a path, as in `GET /endpoints`. Sends a good key and version unless told otherwise. */
  async function ask(target: string, { headers = {}, body }: Ask = {}): Promise<Reply> {
    const [method = '', url = ''] = target.split(' ');
    const json = typeof body === 'object';
    const response = await api.app.inject({
      method: METHOD.parse(method),
      url,
      headers: {
        authorization: `Bearer ${API_KEY}`,
        'ngrok-version': '2',
        ...(json ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: json ? JSON.stringify(body) : body }),
    });
    return {
      status: response.statusCode,
      headers: response.headers,
      text: response.body,
      json: response.body === '' ? {} : parsed(response.body),
    };
  }

  return { api, ask, clock, logged, ...fake };
}

/** Makes a server listen there; 0 = any free port. */
export function onLoopback(port: number): (server: Server) => Promise<void> {
  return (server) =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port }, () => {
        server.off('error', reject);
        resolve();
      });
    });
}
