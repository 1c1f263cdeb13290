import { describe, expect, it } from 'vitest';
import { createApiUnderTest } from './testing/api-under-test.ts';
import { idOf } from './testing/fake-control.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const NO_KEY = { authorization: '' };
const ID = idOf('ep', 7);

/** One row per rule of api.md §1; each also breaks every later rule, so that the order is what is tested. */
const ORDER: readonly {
  readonly rule: string;
  readonly target: string;
  readonly headers: Record<string, string>;
  readonly body?: string | undefined;
  readonly status: number;
  readonly code: number | null;
}[] = [
  { rule: 'unknown path', target: 'POST /nothing?x', headers: NO_KEY, body: '{', status: 404, code: 90095 },
  { rule: 'wrong method', target: 'PUT /endpoints?x', headers: NO_KEY, body: '{', status: 404, code: 90095 },
  {
    rule: 'no key',
    target: 'POST /endpoints?x',
    headers: { ...NO_KEY, 'ngrok-version': '' },
    body: '{',
    status: 403,
    code: 200,
  },
  {
    rule: 'no scheme',
    target: 'POST /endpoints?x',
    headers: { authorization: 'abc', 'ngrok-version': '' },
    status: 403,
    code: 201,
  },
  {
    rule: 'no key shape',
    target: 'POST /endpoints?x',
    headers: { authorization: 'Bearer abc', 'ngrok-version': '' },
    status: 403,
    code: 202,
  },
  {
    rule: 'unknown key',
    target: 'POST /endpoints?x',
    headers: { authorization: 'bearer abc_def', 'ngrok-version': '' },
    status: 403,
    code: 203,
  },
  {
    rule: 'version missing',
    target: 'POST /endpoints?x',
    headers: { 'ngrok-version': '', 'content-type': 'text/plain' },
    body: '{',
    status: 400,
    code: 218,
  },
  {
    rule: 'version 1',
    target: 'POST /endpoints?x',
    headers: { 'ngrok-version': '1', 'content-type': 'text/plain' },
    body: '{',
    status: 400,
    code: 217,
  },
  {
    rule: 'other content type',
    target: 'POST /endpoints?x',
    headers: { 'content-type': 'text/plain' },
    body: '{',
    status: 415,
    code: 210,
  },
  {
    rule: 'no content type',
    target: 'POST /endpoints?x',
    headers: { 'content-type': '' },
    body: '{',
    status: 400,
    code: 216,
  },
  { rule: 'not JSON', target: 'POST /endpoints?x', headers: JSON_TYPE, body: '{', status: 400, code: 213 },
  { rule: 'empty body', target: 'POST /endpoints?x', headers: JSON_TYPE, status: 400, code: 213 },
  { rule: 'a list', target: 'POST /endpoints?x', headers: JSON_TYPE, body: '[]', status: 400, code: 213 },
  { rule: 'null', target: 'POST /endpoints?x', headers: JSON_TYPE, body: 'null', status: 400, code: 213 },
  {
    rule: 'unknown field',
    target: 'POST /endpoints?x',
    headers: JSON_TYPE,
    body: '{"url":5,"colour":1}',
    status: 400,
    code: 214,
  },
  { rule: 'wrong kind', target: 'POST /endpoints?x', headers: JSON_TYPE, body: '{"url":5}', status: 400, code: 215 },
  {
    rule: 'malformed query',
    target: `PATCH /endpoints/x?x=%zz`,
    headers: JSON_TYPE,
    body: '{}',
    status: 400,
    code: 230,
  },
  {
    rule: 'unknown parameter',
    target: `PATCH /endpoints/x?x=1`,
    headers: JSON_TYPE,
    body: '{}',
    status: 400,
    code: 231,
  },
  { rule: 'malformed id', target: `PATCH /endpoints/x`, headers: JSON_TYPE, body: '{}', status: 404, code: 222 },
  { rule: 'unknown id', target: `PATCH /endpoints/${ID}`, headers: JSON_TYPE, body: '{}', status: 404, code: null },
];

describe('the order of the pipeline', () => {
  it.each(ORDER)('$rule: $target', async ({ target, headers, body, status, code }) => {
    const { ask } = await createApiUnderTest();
    const reply = await ask(target, { headers, ...(body === undefined ? {} : { body }) });
    expect({ status: reply.status, code: reply.json['error_code'] }).toEqual({
      status,
      code: code === null ? undefined : `ERR_NGROK_${code}`,
    });
    expect(reply.json['status_code']).toBe(status);
    expect(reply.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(reply.headers['ngrok-operation-id']).toMatch(/^op_\d{27}$/);
  });
});
