import type { Scope } from '../../cel/scope.ts';
import type { Outcome } from '../../runtime.ts';
import { readConfig } from '../../schema/problems.ts';
import { GO_ON, type ActionDefinition, type Step } from '../action.ts';
import { credential, presentedIn, type Presented } from './credentials.ts';
import { basicAuthSchema } from './schema.ts';

/** Lets in whoever presents one of the credentials (RFC 7617); the others get 401 and are asked. */
export const basicAuth: ActionDefinition = {
  type: 'basic-auth',
  resultKey: 'basic_auth',
  compile(config, env) {
    const { credentials, realm, enforce } = readConfig(basicAuthSchema, config, env.path);
    const tests = credentials.map((text, index) => credential(env.template(text, `.credentials[${index}]`)));
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
        let authorized = false;
        const slow: Promise<boolean>[] = [];
        // All of them, whichever matches: see credentials.ts.
        for (const matches of tests) {
          const verdict = matches(presented, scope);
          if (typeof verdict !== 'boolean') slow.push(verdict);
          else if (verdict) authorized = true;
        }
        if (authorized || slow.length === 0) return finish(scope, presented, authorized);
        return Promise.all(slow).then((verdicts) => finish(scope, presented, verdicts.includes(true)));
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
