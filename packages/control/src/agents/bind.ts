import type { AgentBound } from '@postern/link';
import { fail } from '@postern/errors';
import type { BindRequest } from '@postern/protocol';
import type { OnlineEndpoint, SessionRecord } from '@postern/registry';
import type { CredentialRow } from '@postern/store';
import { accountPolicy } from '../account-policy.ts';
import { visitorView } from '../addresses/urls.ts';
import { run } from '../change/change.ts';
import { messageOf, putOnline } from '../change/confirm.ts';
import type { Held } from '../change/value.ts';
import type { Core } from '../core.ts';
import { principalOf } from '../principals.ts';
import { checkLength, DESCRIPTION_BYTES, METADATA_BYTES } from '../texts.ts';
import { claimAddress, findTarget, keysOfClaim, type BindPlan, type Claimed } from './claim.ts';
import { readOptions } from './options.ts';
import { readResume, signResume } from './resume-token.ts';
import { readWanted } from './wanted.ts';

/** A URL, or `app://host/path?pid=1` with a path of the agent's machine. */
export const FORWARDS_TO_BYTES = 4_096;
/** How often a port that turns out to be taken by another program is replaced by another free one. */
const PORT_ATTEMPTS = 8;

/**
 * Puts an agent's endpoint online (agent-protocol.md §5.2, §8). The route is live before this resolves.
 * @throws what readWanted, readOptions and the claim throw; 90027 when the edge cannot open the address
 */
export async function bind(core: Core, sessionId: string, request: BindRequest): Promise<AgentBound> {
  const { session, credential } = await requireSession(core, sessionId);
  checkTexts(request);
  const wanted = readWanted(core.config, request);
  const options = readOptions(accountPolicy(core, session.accountId), request, wanted);
  const resumed = request.token === '' ? null : readResume(core.store.secrets, request.token);
  if (request.token !== '' && resumed?.accountId !== session.accountId) throw fail(335);
  const principalId = await principalOf(core, session.accountId, credential.ownerId);
  const plan: BindPlan = { sessionId, acl: credential.acl, request, wanted, options, resumed, principalId };

  const probed = new Map<string, boolean>();
  const busyPorts = new Set<number>();
  for (;;) {
    const target = await findTarget(core, plan, session.accountId, busyPorts);
    const done = await run(
      core,
      (keys) => keysOfClaim(core, keys, plan, session.accountId, target),
      () => claimAddress(core, plan, target, probed),
    );
    const outcome = done.answer;
    if (outcome.kind === 'taken') continue;
    if (outcome.kind === 'suspects') {
      await askAll(core, outcome.sessionIds, probed);
      continue;
    }
    const { claimed } = outcome;
    if (!claimed.random || busyPorts.size >= PORT_ATTEMPTS) {
      await putOnline(core, claimed.address.url, done);
      return boundOf(core, claimed);
    }
    if (await isOnline(core, claimed, done)) return boundOf(core, claimed);
    busyPorts.add(claimed.address.port);
  }
}

/** 90052, 300: the session and its credential as they are now; ACLs apply from the next bind on. */
export async function requireSession(
  core: Core,
  sessionId: string,
): Promise<{ readonly session: SessionRecord; readonly credential: CredentialRow }> {
  const session = await core.registry.getSession(sessionId);
  if (session === null) throw fail(90052, { id: sessionId });
  const credential = await core.store.credentials.get(session.credentialId);
  if (credential === null) throw fail(300);
  return { session, credential };
}

function checkTexts(request: BindRequest): void {
  checkLength(request.metadata, METADATA_BYTES, 100);
  checkFieldLength('description', request.description);
  checkFieldLength('name', request.name);
  checkFieldLength('forwards_to', request.forwardsTo, FORWARDS_TO_BYTES);
  if (!['', 'http1', 'http2'].includes(request.forwardsProto)) throw fail(15003, { protocol: request.forwardsProto });
}

/** 90051 */
export function checkFieldLength(field: string, text: string, limit = DESCRIPTION_BYTES): void {
  const length = Buffer.byteLength(text);
  if (length > limit) throw fail(90051, { field, length, limit });
}

/** Asks each session whether it still lives, outside the claim step. */
async function askAll(core: Core, sessionIds: readonly string[], probed: Map<string, boolean>): Promise<void> {
  await Promise.all(
    sessionIds.map(async (id) => {
      probed.set(id, !((await core.edges.where(id)?.probeSession(id)) ?? false));
    }),
  );
}

async function isOnline(core: Core, { address }: Claimed, { online, undo }: Held): Promise<boolean> {
  try {
    await online;
    return true;
  } catch (error) {
    core.log.warn({ url: address.url, error: messageOf(error) }, 'a port cannot be opened; trying another');
    await undo();
    return false;
  }
}

function boundOf(core: Core, { tunnel, address, generated }: Claimed): AgentBound {
  const { id, bindId, accountId } = tunnel;
  const { scheme, binding, host, port } = address;
  const endpointId = `ep_${id.slice('tn_'.length)}`;
  const resumed = { endpointId, bindId, accountId, scheme, binding, host, port, generated };
  const token = signResume(core.store.secrets, resumed);
  return {
    id: bindId,
    url: visitorView(address, core.config).publicUrl,
    proto: scheme,
    token,
    tunnelId: id,
    host,
    tlsEndsHere: endsTls(core, tunnel.endpoint),
  };
}

/** For tls endpoints only: everywhere else it goes without saying. */
function endsTls(core: Core, endpoint: OnlineEndpoint | null): boolean {
  if (endpoint?.scheme !== 'tls') return false;
  return endpoint.tls.at === 'edge' || core.policy.endsTls(endpoint.effectivePolicy, 'tls');
}
