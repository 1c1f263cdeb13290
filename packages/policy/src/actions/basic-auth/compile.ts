import type { Scope } from '../../cel/scope.ts';
import type { Outcome } from '../../runtime.ts';
import { readConfig } from '../../schema/problems.ts';
import { fail } from '@postern/errors';
import { addressBlock } from '../../net/cidr.ts';
import { failed } from '../outcome.ts';
import { GO_ON, type ActionDefinition, type Step } from '../action.ts';
import { authorize, credential, presentedIn, type Presented } from './credentials.ts';
import { basicAuthAction, basicAuthSchema } from './schema.ts';

/** Nobody has been told whether the password is right (RFC 9110 §15.6.4, not §15.5.2). */
const BUSY: Outcome = failed(fail(90036), [['retry-after', '2']]);

/** Lets in whoever presents one of the credentials (RFC 7617); the others get 401 and are asked. */
export const basicAuth: ActionDefinition = {
  descriptor: basicAuthAction,
  compile(config, env) {
    const { credentials: written, realm, enforce } = readConfig(basicAuthSchema, config, env.path);
    const credentials = written.map((text, index) => credential(env.template(text, `.credentials[${index}]`)));
    const refusal = unauthorized(realm);

    const finish = (scope: Scope, presented: Presented | null, authorized: boolean): Step => {
      if (env.recorder.on) {
        env.recorder.record(scope.context, () => ({
          credentials: { presented: presented !== null, username: presented?.user ?? '', authorized },
        }));
      }
      return authorized || !enforce ? GO_ON : refusal;
    };

    return {
      terminates: false,
      run(scope) {
        const presented = presentedIn(scope.context.req?.headers.get('authorization'));
        if (presented === null) return finish(scope, null, false);
        const { endpoint, conn, services } = scope.context;
        const asker = { endpoint: endpoint.id, address: addressBlock(conn.clientIp) };
        const verdict = authorize(
          credentials.map((of) => of(scope)),
          presented,
          services.bcrypt,
          asker,
        );
        if (typeof verdict === 'boolean') return finish(scope, presented, verdict);
        return verdict.then((authorized) =>
          authorized === null && enforce ? BUSY : finish(scope, presented, authorized === true),
        );
      },
    };
  },
};

function unauthorized(realm: string): Outcome {
  return {
    kind: 'respond',
    status: 401,
    headers: [
      ['www-authenticate', `Basic realm="${realm.replace(/["\\]/g, '\\$&')}", charset="UTF-8"`],
      ['content-type', 'text/plain; charset=utf-8'],
    ],
    body: Buffer.from('A user name and password are needed.\n', 'utf8'),
  };
}
