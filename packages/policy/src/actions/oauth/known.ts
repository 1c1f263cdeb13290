/** One of the large providers, or another installation of it that the operator has named. */
import { isPosternError, type PosternError } from '@postern/errors';
import { noUse, raw } from '../../logins/ask.ts';
import type { Asked, Provider, Visit } from '../../logins/plan.ts';
import type { Identity, Tokens } from '../../logins/session.ts';
import { isMembers, type Members } from '../jwt-validation/token.ts';
import { PROVIDERS, type Question } from './providers.ts';
import type { ProviderName } from './schema.ts';

export function known(name: ProviderName, scopes: readonly string[]): Provider {
  const provider = PROVIDERS[name];
  return {
    name,
    places({ context }) {
      const own = context.services.providers.settings(name);
      const { authorizeUrl, tokenUrl, userinfoUrl, issuer, always, again, usesPkce } = provider;
      return {
        // Another installation is called by another name.
        issuer: own?.issuer || (own?.authorizeUrl ? '' : issuer),
        namesItself: false,
        authorizeUrl: own?.authorizeUrl || authorizeUrl,
        tokenUrl: own?.tokenUrl || tokenUrl,
        userinfoUrl: own?.userinfoUrl || userinfoUrl,
        keysUrl: '',
        usesBasic: false,
        usesPkce,
        always,
        again,
      };
    },
    identify: (visit, { userinfoUrl }, tokens, _known, signal) =>
      identify(visit, provider.questions(userinfoUrl, scopes), tokens, signal, (answers) => provider.identity(answers)),
  };
}

async function identify(
  visit: Visit,
  questions: readonly Question[],
  tokens: Tokens,
  signal: AbortSignal | null,
  read: (answers: readonly Members[]) => Identity | null,
): Promise<Asked> {
  const answers: Members[] = [];
  for (const question of questions) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other, as nothing else of this visitor can go on
    const answer = await answerTo(visit, question, tokens, signal);
    if (answer === 'refused') {
      if (question.mayFail !== true) return 'refused';
      answers.push({});
    } else if (isPosternError(answer)) {
      if (question.mayFail !== true) return answer;
      answers.push({});
    } else answers.push(answer);
  }
  return read(answers) ?? noUse(visit, 'names nobody');
}

async function answerTo(
  visit: Visit,
  { url, clientHeader, mayFail = false }: Question,
  { access }: Tokens,
  signal: AbortSignal | null,
): Promise<Members | PosternError | 'refused'> {
  const headers: Record<string, string> = { authorization: `Bearer ${access}` };
  if (clientHeader !== undefined) headers[clientHeader] = visit.client.id;
  const answer = await raw(visit, { url, form: null, headers, signal });
  if (isPosternError(answer)) return answer;
  const { status, body } = answer;
  if (status === 401 || (mayFail && status !== 200)) return 'refused';
  if (status !== 200) return noUse(visit, `has the status ${status}`);
  return membersOf(body) ?? noUse(visit, 'is no JSON');
}

/** A list becomes an object of it. */
function membersOf(body: Buffer): Members | null {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
  if (Array.isArray(value)) return { list: value };
  return isMembers(value) ? value : null;
}
