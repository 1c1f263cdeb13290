/**
 * What holds for every plain resource, asked over the real API of a real server: its five calls, pages, filters, the
 * limits that its definition names, and that all of it is there after a restart.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { filterFieldsOf, takes, type Field, type PlainResource } from '@postern/resources';
import { type ApiAnswer, Platform } from './platform.ts';

type Body = Readonly<Record<string, unknown>>;

export interface ResourceCase {
  readonly definition: PlainResource;
  /** What its rows refer to, made once; its answer is given to the others. */
  readonly before?: (platform: Platform) => Promise<Body>;
  /** What makes the `index`th row. */
  readonly create: (index: number, made: Body) => Body;
  /** What an update changes, and how answers show it. */
  readonly update: Body;
  /** What answers show of the first row, beside `id`, `uri` and `created_at`. */
  readonly shown: (made: Body) => Body;
  /** Fields that only the answer of the create call has. */
  readonly once?: readonly string[];
}

const ANY_ID = '0'.repeat(27);

export function describeResource(resource: ResourceCase, more?: (platform: () => Platform) => void): void {
  const { definition, before, create, update, shown, once = [] } = resource;
  const { path, listKey, fields, title, idPrefixes, emptyUpdate } = definition;
  const rowsOf = ({ body }: ApiAnswer): readonly Body[] => body[listKey ?? ''] as Body[];

  describe(path, () => {
    let platform: Platform;
    let made: Body;
    beforeAll(async () => {
      platform = await Platform.start();
      made = (await before?.(platform)) ?? {};
    });
    afterAll(() => platform?.dispose());

    const post = async (index: number, change: Body = {}): Promise<ApiAnswer> =>
      platform.api('POST', path, { ...create(index, made), ...change });
    const one = async (index: number): Promise<Body> => {
      const answer = await post(index);
      expect(answer.status, answer.text).toBe(201);
      return answer.body as Body;
    };
    const at = (row: Body): string => `${path}/${String(row['id'])}`;
    const refused = (answer: ApiAnswer, number: number): void => {
      expect(answer.body, answer.text).toMatchObject({ error_code: `ERR_NGROK_${number}`, status_code: answer.status });
    };

    test(`a ${title} is made, shown, changed and deleted`, async () => {
      const row = await one(0);
      const { id, uri, created_at, ...rest } = row;
      expect(id).toMatch(new RegExp(`^${idPrefixes[0]}_[0-9A-Za-z]{27}$`));
      expect(uri).toBe(`${platform.runtime.api_url}${at(row)}`);
      expect(created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(rest).toEqual(shown(made));
      const kept: Body = { ...row, ...Object.fromEntries(once.map((name) => [name, null])) };
      expect(await platform.api('GET', at(row))).toMatchObject({ status: 200, body: kept });

      const changed = await platform.api('PATCH', at(row), { ...update, id });
      expect(changed, changed.text).toMatchObject({ status: 200, body: { ...kept, ...update, ...touched(fields) } });
      expect((await platform.api('GET', at(row))).body).toEqual(changed.body);
      const named = Object.keys(update);
      const nulls = Object.fromEntries(named.map((name) => [name, null]));
      if (emptyUpdate === undefined)
        expect(await platform.api('PATCH', at(row), nulls)).toMatchObject({ status: 200, body: changed.body });
      else refused(await platform.api('PATCH', at(row), nulls), emptyUpdate);

      expect(await platform.api('DELETE', at(row))).toMatchObject({ status: 204, text: '' });
      for (const method of ['GET', 'PATCH', 'DELETE']) {
        const gone = await platform.api(method, at(row), method === 'PATCH' ? update : undefined);
        expect(gone).toMatchObject({ status: 404, body: { status_code: 404, msg: expect.any(String) } });
        expect(gone.body).not.toHaveProperty('error_code');
      }
    });

    test('ids of other kinds, fields that it does not have and values of other kinds are refused', async () => {
      const row = await one(1);
      refused(await platform.api('GET', `${path}/nobody_${ANY_ID}`), 222);
      refused(await post(2, { colour: 'red' }), 214);
      refused(await platform.api('PATCH', at(row), { ...update, colour: 'red' }), 214);
      for (const [name, field] of Object.entries(fields)) {
        if (takes(field, 'create') && field.kind !== 'unserved') refused(await post(2, { [name]: 7 }), 215);
        if (takes(field, 'update') && field.kind !== 'unserved')
          refused(await platform.api('PATCH', at(row), { [name]: 7 }), 215);
      }
      expect((await platform.api('GET', at(row))).body['created_at']).toBe(row['created_at']);
      await platform.api('DELETE', at(row));
    });

    const bounded = Object.entries(fields).flatMap(([name, { options }]) =>
      options.most === undefined ? [] : [{ name, ...options.most, field: fields[name] as Field }],
    );
    test.each(bounded)('$name has at most $bytes bytes of UTF-8 ($error)', async ({ name, bytes, error, field }) => {
      const row = await one(3);
      const most = field.options.check === undefined ? textOf(bytes) : 'x'.repeat(bytes);
      const long = `${most}x`;
      refused(await post(4, { [name]: long }), error);
      if (takes(field, 'update')) {
        refused(await platform.api('PATCH', at(row), { [name]: long }), error);
        const answer = await platform.api('PATCH', at(row), { [name]: most });
        expect(answer.status, answer.text).toBe(200);
        if (field.options.out !== 'never') expect(answer.body).toMatchObject({ [name]: most });
      }
      await platform.api('DELETE', at(row));
    });

    const needed = Object.entries(fields).flatMap(([name, field]) =>
      field.options.needed === undefined ? [] : [{ name, field, error: field.options.needed }],
    );
    test.each(needed)('$name is needed, and never empty ($error)', async ({ name, field, error }) => {
      const row = await one(5);
      refused(await post(6, { [name]: null }), error);
      refused(await post(6, { [name]: '' }), error);
      if (takes(field, 'update')) refused(await platform.api('PATCH', at(row), { [name]: '' }), error);
      await platform.api('DELETE', at(row));
    });

    test('lists are newest first, page by page, and filtered', async () => {
      const there = rowsOf(await platform.api('GET', path));
      const rows: Body[] = [];
      for (const index of [7, 8, 9]) rows.unshift(await one(index));
      const expected = [...rows, ...there].map((row) => row['id']);
      const seen: unknown[] = [];
      let next: unknown = `${path}?limit=2`;
      while (typeof next === 'string') {
        const answer: ApiAnswer = await platform.api('GET', next);
        expect(new Set(Object.keys(answer.body))).toEqual(new Set([listKey, 'next_page_uri', 'uri']));
        expect(rowsOf(answer).length).toBeGreaterThan(0);
        expect(rowsOf(answer).length).toBeLessThanOrEqual(2);
        seen.push(...rowsOf(answer).map((row) => row['id']));
        next = answer.body['next_page_uri'];
      }
      expect(seen).toEqual(expected);

      const [, second] = rows;
      const query = encodeURIComponent(`obj.id == "${String(second?.['id'])}"`);
      const filtered = await platform.api('GET', `${path}?filter=${query}`);
      if (filterFieldsOf(definition) === null) refused(filtered, 231);
      else expect(rowsOf(filtered)).toMatchObject([{ id: second?.['id'] }]);
      for (const row of rows) await platform.api('DELETE', at(row));
    });

    more?.(() => platform);

    test('everything is there after a restart', async () => {
      await one(10);
      const was = await platform.api('GET', path);
      platform = await platform.restart('SIGTERM', { listen: platform.sameAddresses });
      expect((await platform.api('GET', path)).body).toEqual(was.body);
    });
  });
}

/** A text of that many bytes, and of fewer characters. */
function textOf(bytes: number): string {
  return 'é'.repeat(Math.floor(bytes / 2)) + 'x'.repeat(bytes % 2);
}

/** What an update changes by itself. */
function touched(fields: PlainResource['fields']): Body {
  const stamped = Object.entries(fields).filter(([, { options }]) => options.auto === 'changed-at');
  return Object.fromEntries(stamped.map(([name]) => [name, expect.any(String)]));
}
