import { fail, type PosternError } from '@postern/errors';
import type { Scope } from '../../cel/scope.ts';
import { Failure, Fatal } from '../../cel/value.ts';
import type { Outcome, RequestView } from '../../runtime.ts';
import { readConfig } from '../../schema/problems.ts';
import { GO_ON, type ActionDefinition, type Step } from '../action.ts';
import { unreadBody } from '../body.ts';
import { EMPTY_BODY, failed, NO_HEADERS, unfilled } from '../outcome.ts';
import type { Answer } from './challenges.ts';
import { Certificates } from './certificates.ts';
import { CHALLENGES, SCHEMES } from './providers.ts';
import { verifyWebhookAction, verifyWebhookSchema } from './schema.ts';
import type { Message } from './schemes/scheme.ts';
import { secretOf, type Secret } from './secret.ts';

/** A digest of it takes less of a core than receiving it took; what costs more than that has bounds of its own. */
const LARGEST_BODY = 8 * 1024 * 1024;
/** No provider's signature is as long. */
const LONGEST_HEADER = 4096;

/** It does not say what was wrong: that would be a help with the next try. */
const NOT_VERIFIED = fail(3204);

/** Of all endpoints: what is at a provider's own address is the same for each. */
const CERTIFICATES = new Certificates();

/** Lets in what one provider has signed with the secret, and answers the questions by which it tries an endpoint. */
export const verifyWebhook: ActionDefinition = {
  descriptor: verifyWebhookAction,
  compile(config, env) {
    const { provider, secret: written, enforce } = readConfig(verifyWebhookSchema, config, env.path);
    const scheme = SCHEMES[provider];
    const challenge = CHALLENGES[provider];
    const secretFor = secretOf(env.template(written, '.secret'), scheme, `${env.path}.secret`);

    const finish = (scope: Scope, error: PosternError | null): Step => {
      if (env.recorder.on) {
        env.recorder.record(scope.context, () => ({
          verified: error === null,
          error: { code: error?.code ?? '', message: error?.message ?? '' },
        }));
      }
      return error === null || !enforce ? GO_ON : failed(error);
    };

    const judge = (scope: Scope, message: Message, secret: Secret): Step | Promise<Step> => {
      if (scheme.certified === undefined) return judged(scope, message, secret, secret.verify(message));
      const certified = scheme.certified(message, secret.text);
      if (certified === null) return finish(scope, NOT_VERIFIED);
      return CERTIFICATES.at(certified.url, env.path, scope.context).then((key) =>
        judged(scope, message, secret, key !== null && certified.verify(key)),
      );
    };

    const judged = (scope: Scope, message: Message, secret: Secret, verified: boolean): Step => {
      const answer = challenge?.signed?.(message, secret.text, verified) ?? null;
      const step = finish(scope, verified ? null : NOT_VERIFIED);
      return answer !== null && (verified || enforce) ? answered(answer) : step;
    };

    return {
      terminates: false,
      run(scope) {
        const { req } = scope.context;
        if (req === null) return finish(scope, NOT_VERIFIED);
        const secret = secretFor(scope);
        if (secret instanceof Fatal) return unfilled(secret);
        if (secret instanceof Failure) return finish(scope, fail(2238, { reason: secret.message }));
        const head = messageOf(req, EMPTY_BODY, scope.context.now());
        const answer = challenge?.unsigned?.(head, secret.text) ?? null;
        if (answer !== null) return answered(answer);
        const { headers } = scheme;
        if (headers.length > 0 && headers.every((name) => head.header(name) === undefined)) {
          return finish(scope, NOT_VERIFIED);
        }
        return req
          .readBody(LARGEST_BODY)
          .then((body) =>
            typeof body === 'string'
              ? finish(scope, unreadBody(body, LARGEST_BODY))
              : judge(scope, messageOf(req, body, scope.context.now()), secret),
          );
      },
    };
  },
};

function messageOf(req: RequestView, body: Buffer, now: number): Message {
  return {
    method: req.method,
    scheme: req.sent.scheme,
    authority: req.sent.authority,
    target: req.sent.target,
    // Of two values the service might take the one that was not signed.
    header(name) {
      const [value, another] = req.headers.getAll(name);
      return another === undefined && value !== undefined && value.length <= LONGEST_HEADER ? value : undefined;
    },
    body,
    now,
  };
}

function answered({ status, type, body }: Answer): Outcome {
  return {
    kind: 'respond',
    status,
    headers:
      type === null
        ? NO_HEADERS
        : [
            ['content-type', type],
            ['x-content-type-options', 'nosniff'],
          ],
    body: body === '' ? EMPTY_BODY : Buffer.from(body, 'utf8'),
  };
}
