import { Validator } from '@seriousme/openapi-schema-validator';
import { RESOURCES } from '@postern/resources';
import { describe, expect, it } from 'vitest';
import { BASE, createApiUnderTest, parsed } from './testing/api-under-test.ts';
import { operationsOf } from './resources/index.ts';
import { createFakeControl } from './testing/fake-control.ts';

describe('/openapi.json', () => {
  it('is a valid OpenAPI 3.1 document, for whoever asks', async () => {
    const { api } = await createApiUnderTest();
    const response = await api.app.inject({ method: 'GET', url: '/openapi.json' });
    expect(response.statusCode).toBe(200);
    const document = parsed(response.body);
    expect(document).toMatchObject({ openapi: '3.1.0', servers: [{ url: BASE }] });
    const validator = new Validator();
    expect(await validator.validate(document)).toEqual({ valid: true });
  });

  it('finds a document with a mistake, or the judge above would say nothing', async () => {
    const { api } = await createApiUnderTest();
    const document = parsed((await api.app.inject({ method: 'GET', url: '/openapi.json' })).body);
    expect(await new Validator().validate({ ...document, paths: { nowhere: 1 } })).toMatchObject({ valid: false });
  });

  it('names every path that is served, but for those of modules, and no other', async () => {
    const { api } = await createApiUnderTest();
    const document = parsed((await api.app.inject({ method: 'GET', url: '/openapi.json' })).body);
    const served = operationsOf(createFakeControl().control, '0')
      .map(({ path, query }) => ({ path: path.replace(/:(\w+)/g, '{$1}'), list: query.paged }))
      .filter(({ path, list }) => path !== '/' && (list || !/\{id\}\/(?!stop|restart|update|renew|check)/.test(path)))
      .map(({ path }) => path);
    expect(Object.keys(Object(document['paths'])).toSorted()).toEqual([...new Set(served)].toSorted());
  });
});

describe('the definitions', () => {
  it('name each resource, path and list once', () => {
    for (const pick of ['name', 'path'] as const) {
      const values = RESOURCES.map((resource) => resource[pick]);
      expect(new Set(values).size).toBe(values.length);
    }
  });
});
