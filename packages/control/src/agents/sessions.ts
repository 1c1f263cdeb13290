import type { AgentSessionAccepted } from '@postern/link';
import { fail } from '@postern/errors';
import type { AuthRequest } from '@postern/protocol';
import type { SessionRecord } from '@postern/registry';
import { splitToken, tokenMatches, type CredentialRow } from '@postern/store';
import type { Core } from '../core.ts';
import { type Keys, withKeys } from '../gate/keys.ts';
import { requireActiveOwner } from '../principals.ts';
import { checkLength, METADATA_BYTES } from '../texts.ts';
import { keysOfSession } from './leave.ts';
import { readCookie, signCookie, type SessionCookie } from './resume-token.ts';

const VERSIONS = ['3', '2'];
const SELF_WORDS = 512;

/**
 * Lets an agent in (agent-protocol.md §5.1, §8). A returning agent proves itself with our cookie; its earlier session,
 * which may still look alive from here, ends at once.
 * @throws 100, 105, 107, 108, 120, 300, 636, 4018, 90050
 */
export async function authenticate(
  core: Core,
  request: AuthRequest,
  remoteAddr: string,
): Promise<AgentSessionAccepted> {
  const version = VERSIONS.find((known) => request.versions.includes(known));
  if (version === undefined) throw fail(120, { versions: request.versions.join(', ') || 'none' });
  checkLength(request.metadata, METADATA_BYTES, 100);
  const cookie = request.cookie === '' ? null : readCookie(core.store.secrets, request.cookie);
  const credential = await findCredential(core, request.authtoken, cookie);
  await requireActiveOwner(core, credential.ownerId);
  const account = (await core.store.accounts()).find(({ id }) => id === credential.accountId);
  if (account === undefined) throw fail(107);

  const clientId = returningClient(request, cookie, account.id) ?? randomHex(core, 16);
  const findStale = () => core.registry.findSession(account.id, clientId, request.legNumber);
  const keysOfReturn = async (keys: Keys): Promise<Keys> => {
    const stale = await findStale();
    keys.id(`sessions of ${account.id}`).id(`sessions of ${credential.id}`);
    return stale === null ? keys : keysOfSession(core, keys, stale.id);
  };
  return withKeys(core, keysOfReturn, async () => {
    // While this call waited for its turn the token may have been deleted or reset, or its owner stopped. Whoever does
    // that ends sessions in a step of its own afterwards: either this look sees the change, or that step the session.
    const current = await core.store.credentials.get(credential.id);
    if (current === null) throw fail(300);
    if (current.tokenHash !== credential.tokenHash) throw fail(107);
    await requireActiveOwner(core, current.ownerId);
    const stale = await findStale();
    if (stale !== null) {
      core.log.info({ session: stale.id, client: clientId }, 'an agent came back; its earlier session ends');
      await core.endSession(stale.id, 'displaced by the same agent');
    }
    const { sessions } = core.config.limits;
    if ((await core.registry.sessionsOf(account.id)).length >= sessions) throw fail(108, { limit: sessions });
    const session = newSession(core, request, credential, clientId, version, remoteAddr);
    await core.registry.addSession(session);
    return {
      sessionId: session.id,
      clientId,
      cookie: signCookie(core.store.secrets, { clientId, accountId: account.id, credentialId: credential.id }),
      accountId: account.id,
      accountName: account.name,
      region: core.config.region,
      banner: '',
    };
  });
}

async function findCredential(core: Core, token: string, cookie: SessionCookie | null): Promise<CredentialRow> {
  if (token === '') throw fail(4018);
  const parts = splitToken(token);
  if (parts === null) throw fail(105);
  const id = `cr_${parts.idSuffix}`;
  const credential = await core.store.credentials.get(id);
  if (credential !== null && tokenMatches(parts.secret, credential.tokenHash)) return credential;
  const key = await core.store.apiKeys.get(`ak_${parts.idSuffix}`);
  if (key !== null && tokenMatches(parts.secret, key.tokenHash)) throw fail(90050);
  // Our cookie shows that the credential did exist: it was deleted, not mistyped.
  throw fail(credential === null && cookie?.credentialId === id ? 300 : 107);
}

/** The client id is kept only when our own cookie proves that it was given to this account. */
function returningClient(request: AuthRequest, cookie: SessionCookie | null, accountId: string): string | null {
  if (cookie === null || cookie.accountId !== accountId) return null;
  return request.clientId === '' || request.clientId === cookie.clientId ? cookie.clientId : null;
}

function newSession(
  core: Core,
  request: AuthRequest,
  credential: CredentialRow,
  clientId: string,
  version: string,
  remoteAddr: string,
): SessionRecord {
  return {
    id: core.ids.next('ts'),
    accountId: credential.accountId,
    node: core.registry.node,
    clientId,
    legNumber: request.legNumber,
    credentialId: credential.id,
    agentVersion: shortened(request.agentVersion),
    clientType: shortened(request.clientType),
    userAgent: shortened(request.userAgent),
    ip: ipOf(remoteAddr),
    os: shortened(request.os),
    region: core.config.region,
    startedAt: core.timestamp(),
    transport: `ngrok/${version}`,
    metadata: request.metadata,
    stopRefusal: refusal(request.stopUnsupported),
    restartRefusal: refusal(request.restartUnsupported),
    updateRefusal: refusal(request.updateUnsupported),
  };
}

/** What agents say of themselves is kept for as long as they stay, and shown: it is bounded, not judged. */
function shortened(text: string): string {
  return text.length <= SELF_WORDS ? text : `${text.slice(0, SELF_WORDS)}…`;
}

/** On the wire null means too old and '' means supported; records keep null for supported. */
function refusal(unsupported: string | null): string | null {
  if (unsupported === null) return 'the agent is too old for it';
  return unsupported === '' ? null : unsupported;
}

/** `127.0.0.1:5000` and `[::1]:5000` without their ports. */
function ipOf(remoteAddr: string): string {
  const colon = remoteAddr.lastIndexOf(':');
  const host = colon < 0 || remoteAddr.endsWith(']') ? remoteAddr : remoteAddr.slice(0, colon);
  return host.replace(/^\[|\]$/g, '');
}

export function randomHex(core: Core, bytes: number): string {
  return Buffer.from(core.randomBytes(bytes)).toString('hex');
}
