/** Headers by which the service knows who its visitor is; no visitor can set one of these names. */
import { isHeaderValue } from '../schema/headers.ts';
import type { SessionVisit } from './plan.ts';
import { personOf } from './tell-control.ts';
import type { Session } from './session.ts';

export function tellService({ plan, context, req, tellsTokens }: SessionVisit, session: Session): void {
  const { identity, tokens } = session;
  const { headers } = req;
  const id = personOf({ plan, context }, session);
  const lines: (readonly [string, string])[] = [
    ['ngrok-auth-user-id', id],
    ['ngrok-auth-user-email', identity.email],
    ['ngrok-auth-user-name', identity.name],
  ];
  // What an app of the server's own may do is no business of those who share it.
  if (tellsTokens) {
    lines.push(['ngrok-auth-oauth-access-token', tokens.access], ['ngrok-auth-oauth-refresh-token', tokens.refresh]);
  }
  for (const [name, value] of lines) if (value !== '' && isHeaderValue(value)) headers.set(name, value);
}
