import { fail } from '@postern/errors';
import { TOO_MANY_STEPS } from '../../cel/limits.ts';
import type { Scope } from '../../cel/scope.ts';
import { Failure, Fatal } from '../../cel/value.ts';
import { spend } from '../../cel/work.ts';
import type { RequestView, UrlView } from '../../runtime.ts';
import { readConfig } from '../../schema/problems.ts';
import { GO_ON, type ActionDefinition } from '../action.ts';
import { uriOf } from '../headers.ts';
import { unfilled } from '../outcome.ts';
import { requestUrl } from '../request-url.ts';
import { rewrittenUrl, type UrlMaker } from '../rewritten-url.ts';
import { placeOf } from './place.ts';
import { urlRewriteAction, urlRewriteSchema } from './schema.ts';

const NO_URL = new Fatal(2238, { reason: 'a url-rewrite makes no http or https URL that a request can have' });
const ANYWHERE: UrlView = { scheme: 'https', authority: 'host', target: '/' };

/** Asks the service for another URL than the visitor did; later rules see that one. */
export const urlRewrite: ActionDefinition = {
  descriptor: urlRewriteAction,
  compile(config, env) {
    const { from, to: written } = readConfig(urlRewriteSchema, config, env.path);
    const to = env.template(written, '.to');
    if (from === undefined && to.text !== null && placeOf(uriOf(to.text), ANYWHERE) === null) {
      throw fail(2226, {
        path: `${env.path}.to`,
        value: to.text,
        reason: 'a path, or an http or https URL, is needed',
      });
    }
    const make: UrlMaker =
      from === undefined
        ? (scope) => {
            const text = to.require(scope);
            return text instanceof Failure ? text : sendable(text, scope);
          }
        : rewrittenUrl(from, to, env, sendable);
    return {
      terminates: false,
      run(scope) {
        const { req } = scope.context;
        if (req === null) return GO_ON;
        const matches: string[] | null = env.recorder.on ? [] : null;
        const failure = rewrite(make(scope, matches), req, scope);
        if (matches !== null)
          env.recorder.record(scope.context, () => result(matches, failure, requestUrl(req, scope)));
        return failure === null ? GO_ON : unfilled(failure);
      },
    };
  },
};

function sendable(text: string, scope: Scope): string | Failure {
  if (!/[^\x21-\x7e]/.test(text)) return text;
  return spend(scope, text.length * 20) ? uriOf(text) : TOO_MANY_STEPS;
}

function rewrite(made: string | Failure | null, req: RequestView, scope: Scope): Failure | null {
  if (made === null || made instanceof Failure) return made;
  if (!spend(scope, made.length)) return TOO_MANY_STEPS;
  const { scheme, host, port } = scope.parts.url(req);
  const authority = port === (scheme === 'https' ? 443 : 80) ? host : `${host}:${port}`;
  const place = placeOf(made, { scheme, authority, target: req.target });
  if (place === null) return NO_URL;
  // The same host in its one form is the visitor's own.
  req.rewrite(place.authority === authority ? { ...place, authority: req.authority } : place);
  return null;
}

function result(matches: readonly string[], failure: Failure | null, url: string): object {
  const outcome = failure === null ? null : unfilled(failure);
  const error = outcome?.kind === 'error' ? outcome.error : null;
  return { matches, url, error: { code: error?.code ?? '', message: error?.message ?? '' } };
}
