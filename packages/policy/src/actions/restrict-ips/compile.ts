import { fail } from '@postern/errors';
import type { Scope } from '../../cel/scope.ts';
import { Failure } from '../../cel/value.ts';
import type { Template } from '../../interpolation/template.ts';
import { CidrSet } from '../../net/cidr.ts';
import { readConfig } from '../../schema/problems.ts';
import { GO_ON, type ActionDefinition, type ActionEnv } from '../action.ts';
import { CLOSE, failed, unfilled } from '../outcome.ts';
import { restrictIpsAction, restrictIpsSchema } from './schema.ts';

/**
 * Lets in by source address: of the connection, never of a forwarded header. An address passes when some allowed range
 * has it and no denied one; where nothing is listed as allowed, everything is that is not denied. An IP policy is a list
 * of what is allowed even if it has no such rule (any more): it never opens what it was to close.
 */
export const restrictIps: ActionDefinition = {
  descriptor: restrictIpsAction,
  compile(config, env) {
    const {
      enforce,
      allow = [],
      deny = [],
      ip_policies: policies = [],
    } = readConfig(restrictIpsSchema, config, env.path);
    const allowed = ranges(allow, '.allow', env);
    const denied = ranges(deny, '.deny', env);
    const open = allow.length === 0 && policies.length === 0;
    return {
      terminates: false,
      run(scope) {
        const ip = scope.context.conn.clientIp;
        const allowSet = allowed(scope);
        if (allowSet instanceof Failure) return unfilled(allowSet);
        const denySet = denied(scope);
        if (denySet instanceof Failure) return unfilled(denySet);
        let against = denySet.match(ip);
        let match = allowSet.match(ip);
        for (const id of policies) {
          const policy = scope.context.services.resources.ipPolicy(scope.context.endpoint.accountId, id);
          // Checked when the policy was written; it has been deleted since.
          if (policy === null) return failed(fail(2216, { path: `${env.path}.ip_policies`, id }));
          against ??= policy.deny.match(ip);
          match ??= policy.allow.match(ip);
        }
        const passes = against === null && (open || match !== null);
        if (env.recorder.on) {
          env.recorder.record(scope.context, () => verdict(passes, against ?? match ?? '', ip));
        }
        if (passes || !enforce) return GO_ON;
        return env.phase === 'on_tcp_connect' ? CLOSE : failed(fail(3203, { ip }));
      },
    };
  },
};

function verdict(passes: boolean, matched: string, ip: string): object {
  const error = passes ? null : fail(3203, { ip });
  return {
    action: passes ? 'allow' : 'deny',
    matched_cidr: matched,
    error: { code: error?.code ?? '', message: error?.message ?? '' },
  };
}

/** Ranges that only the request knows are made into a set again when they change. */
function ranges(list: readonly string[], field: string, env: ActionEnv): (scope: Scope) => CidrSet | Failure {
  const templates: Template[] = list.map((text, index) => env.template(text, `${field}[${index}]`));
  if (templates.every((template) => template.text !== null)) {
    const set = new CidrSet(templates.map((template) => template.text ?? ''));
    return () => set;
  }
  let key: string | null = null;
  let set = new CidrSet([]);
  return (scope) => {
    const texts: string[] = [];
    for (const template of templates) {
      const text = template.require(scope);
      if (text instanceof Failure) return text;
      texts.push(text);
    }
    const joined = texts.join(' ');
    if (joined !== key) {
      set = new CidrSet(texts);
      key = joined;
    }
    return set;
  };
}
