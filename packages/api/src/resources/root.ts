import { NO_QUERY } from '../pipeline/query.ts';
import { ok, type Operation } from '../resource/operation.ts';

/** `GET /`: what is served here, by name and address. The documented first call to try a key with. */
export function root(version: string, collections: readonly string[]): Operation {
  return {
    method: 'GET',
    path: '/',
    ids: {},
    query: NO_QUERY,
    body: null,
    handle: ({ urls }) =>
      Promise.resolve(
        ok({
          uri: urls.at('/'),
          version,
          resources: Object.fromEntries(collections.map((path) => [path.slice(1), urls.at(path)])),
        }),
      ),
  };
}
