import { createToken, suffixOf, type CredentialRow, type Write } from '@postern/store';
import { keysOfSession } from './agents/leave.ts';
import { ALONE, run } from './change/change.ts';
import { unchanged } from './change/value.ts';
import type { Core } from './core.ts';
import { type Keys, withKeys } from './gate/keys.ts';
import { principalOf } from './principals.ts';
import type { Caller } from './types.ts';

/** Plaintext, which cannot be shown again: the database keeps hashes. */
export interface FirstCredentials {
  readonly accountId: string;
  readonly apiKey: string;
  readonly authtoken: string;
}

/** Where plaintext is written before the database knows of it: a crash in between leaves nobody without credentials. */
export type KeepCredentials = (made: FirstCredentials) => Promise<void>;

/** Makes the default authtoken and API key if this installation has none yet, and only then. */
export async function bootstrap(core: Core, keep: KeepCredentials): Promise<FirstCredentials | null> {
  const accountId = await firstAccount(core);
  for (;;) {
    if ((await defaultCredential(core, accountId)) !== null) return null;
    const made = await issue(core, accountId, null, keep);
    if (made !== null) return made;
  }
}

/** New secrets for both; the old ones stop working, and sessions that used the old authtoken end. */
export async function resetCredentials(core: Core, keep: KeepCredentials): Promise<FirstCredentials> {
  const accountId = await firstAccount(core);
  for (;;) {
    const credential = await defaultCredential(core, accountId);
    const fresh = await issue(core, accountId, credential, keep);
    if (fresh === null) continue;
    if (credential !== null) await endSessionsOf(core, accountId, credential.id, 'the authtoken was reset');
    return fresh;
  }
}

/** What the server itself does in the name of the account's human, as the demo's endpoints. */
export async function operator(core: Core): Promise<Caller> {
  const accountId = await firstAccount(core);
  return { accountId, principal: { id: await principalOf(core, accountId, '') }, apiKeyId: '' };
}

/** Ends every agent session that came in with the credential. */
export async function endSessionsOf(
  core: Core,
  accountId: string,
  credentialId: string,
  reason: string,
): Promise<void> {
  const found = async () => {
    const sessions = await core.registry.sessionsOf(accountId);
    return sessions.filter((session) => session.credentialId === credentialId);
  };
  const keysOfAll = async (keys: Keys): Promise<Keys> => {
    keys.id(`sessions of ${credentialId}`);
    for (const { id } of await found()) await keysOfSession(core, keys, id);
    return keys;
  };
  await withKeys(core, keysOfAll, async () => {
    for (const { id } of await found()) await core.endSession(id, reason);
  });
}

/**
 * The default API key shares its suffix with the default credential, which is how it is found again.
 * @param known the default credential as it was found; null back = it is another one by now
 */
async function issue(
  core: Core,
  accountId: string,
  known: CredentialRow | null,
  keep: KeepCredentials,
): Promise<FirstCredentials | null> {
  const { store } = core;
  const credentialId = known?.id ?? core.ids.next('cr');
  const keyId = `ak_${suffixOf(credentialId)}`;
  const authtoken = createToken(credentialId, core.randomBytes);
  const apiKey = createToken(keyId, core.randomBytes);
  const row = { accountId, createdAt: core.timestamp(), metadata: '', ownerId: '' };
  const keyRow = { ...row, id: keyId, description: 'made when the server first started', tokenHash: apiKey.tokenHash };
  const credentialWrite =
    known === null
      ? store.credentials.insert({
          ...row,
          id: credentialId,
          description: 'made when the server first started',
          acl: [],
          tokenHash: authtoken.tokenHash,
          isDefault: true,
        })
      : store.credentials.update(credentialId, { tokenHash: authtoken.tokenHash });
  const made = { accountId, apiKey: apiKey.token, authtoken: authtoken.token };
  await keep(made);
  const { answer } = await run(core, ALONE, async () => {
    if ((await defaultCredential(core, accountId))?.id !== known?.id) return unchanged(null);
    const keyExists = (await store.apiKeys.get(keyId)) !== null;
    const keyWrite = keyExists
      ? store.apiKeys.update(keyId, { tokenHash: apiKey.tokenHash })
      : store.apiKeys.insert(keyRow);
    const writes: Write[] = [credentialWrite, keyWrite];
    return { answer: made, writes, registry: [] };
  });
  return answer;
}

async function firstAccount(core: Core): Promise<string> {
  const account = (await core.store.accounts())[0];
  if (account === undefined) throw new Error('the database has no account; its first migration makes one');
  return account.id;
}

async function defaultCredential(core: Core, accountId: string): Promise<CredentialRow | null> {
  const rows = await core.store.credentials.list({ accountId });
  return rows.find((row) => row.isDefault) ?? null;
}
