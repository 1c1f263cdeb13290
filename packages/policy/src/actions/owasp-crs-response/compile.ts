import { fail } from '@postern/errors';
import type { ActionDefinition } from '../action.ts';
import {
  BODY_START,
  bytesOf,
  firewallAction,
  linesOf,
  requestMessage,
  settle,
  settleVerdict,
  unjudged,
} from '../firewall.ts';
import { CLOSE } from '../outcome.ts';
import { decodedStart } from './decode.ts';
import { owaspCrsResponseAction } from './schema.ts';

const BLOCKED = fail(3702);

/** What rules look for is in pages, not in pictures, and a stream of events may never have as many bytes. */
const LOOKED_AT: ReadonlySet<string> = new Set(['text/html', 'text/plain', 'text/xml']);

/** Keeps back answers that tell what they should not: messages of databases, sources, directory listings. */
export const owaspCrsResponse: ActionDefinition = {
  descriptor: owaspCrsResponseAction,
  compile(config, env) {
    const action = firewallAction('owasp-crs-response', BLOCKED, config, env);
    const { excluded } = action;
    return {
      terminates: false,
      run(scope) {
        const { req, res, services, signal } = scope.context;
        const { firewall } = services;
        if (firewall === null || req === null || res === null) {
          return settle(action, scope, unjudged('the server has no rules'), null);
        }
        const request = requestMessage(scope.context, req);
        const answer = { status: res.statusCode, headers: linesOf(res.headers), body: null };
        const [type = ''] = (res.headers.get('content-type') ?? '').split(';', 1);
        if (!action.processBody || !LOOKED_AT.has(type.trim().toLowerCase())) {
          return settleVerdict(action, scope, (units) => firewall.judgeResponse(request, answer, { excluded, units }));
        }
        const coding = bytesOf(res.headers.get('content-encoding') ?? '');
        return res.readBodyStart(BODY_START).then((start) => {
          if (signal.aborted) return CLOSE;
          if (typeof start === 'string') {
            return settle(action, scope, unjudged(`the answer's body could not be had (${start})`), null);
          }
          const body = decodedStart(start, coding);
          if (body === null) return settle(action, scope, unjudged(`the answer's body is encoded otherwise`), null);
          return settleVerdict(action, scope, (units) =>
            firewall.judgeResponse(request, { ...answer, body }, { excluded, units }),
          );
        });
      },
    };
  },
};
