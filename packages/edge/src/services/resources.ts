/**
 * What control has told of the accounts' secrets, IP policies and certificate authorities. In memory only. Looking
 * something up reads maps and makes nothing: ranges are put in order when they come.
 */
import { CidrSet, type IpPolicy, type Resources } from '@postern/policy';
import type { PolicyResource, ResourceUpdate } from '@postern/link';

type Secret = Extract<PolicyResource, { kind: 'secret' }>;
type Owned<T> = { readonly accountId: string; readonly value: T };

export class KnownResources implements Resources {
  /** By account, vault and name. */
  readonly #secrets = new Map<string, Map<string, Map<string, Secret>>>();
  readonly #secretsById = new Map<string, Secret>();
  readonly #ipPolicies = new Map<string, Owned<IpPolicy>>();
  readonly #authorities = new Map<string, Owned<string>>();

  secret(accountId: string, vault: string, name: string): string | null {
    return this.#secrets.get(accountId)?.get(vault)?.get(name)?.value ?? null;
  }

  ipPolicy(accountId: string, id: string): IpPolicy | null {
    return owned(this.#ipPolicies.get(id), accountId);
  }

  certificateAuthority(accountId: string, id: string): string | null {
    return owned(this.#authorities.get(id), accountId);
  }

  apply({ snapshot, upserts, removes }: ResourceUpdate): void {
    if (snapshot) {
      this.#secrets.clear();
      this.#secretsById.clear();
      this.#ipPolicies.clear();
      this.#authorities.clear();
    }
    for (const id of removes) {
      this.#dropSecret(id);
      this.#ipPolicies.delete(id);
      this.#authorities.delete(id);
    }
    for (const resource of upserts) this.#put(resource);
  }

  #put(resource: PolicyResource): void {
    const { kind, id, accountId } = resource;
    switch (kind) {
      case 'secret':
        this.#putSecret(resource);
        return;
      case 'ip-policy':
        this.#ipPolicies.set(id, {
          accountId,
          value: { allow: new CidrSet(resource.allow), deny: new CidrSet(resource.deny) },
        });
        return;
      case 'certificate-authority':
        this.#authorities.set(id, { accountId, value: resource.pem });
        return;
      case 'ended-login':
      // Log-ins are those of `VisitorSessions`.
    }
  }

  #putSecret(secret: Secret): void {
    // It may have been known by another name.
    this.#dropSecret(secret.id);
    const { id, accountId, vault, name } = secret;
    const vaults = this.#secrets.get(accountId) ?? new Map<string, Map<string, Secret>>();
    const names = vaults.get(vault) ?? new Map<string, Secret>();
    names.set(name, secret);
    vaults.set(vault, names);
    this.#secrets.set(accountId, vaults);
    this.#secretsById.set(id, secret);
  }

  #dropSecret(id: string): void {
    const secret = this.#secretsById.get(id);
    if (secret === undefined) return;
    this.#secretsById.delete(id);
    const { accountId, vault, name } = secret;
    const vaults = this.#secrets.get(accountId);
    const names = vaults?.get(vault);
    // Another one may have its name by now.
    if (names?.get(name) === secret) names.delete(name);
    if (names?.size === 0) vaults?.delete(vault);
    if (vaults?.size === 0) this.#secrets.delete(accountId);
  }
}

function owned<T>(one: Owned<T> | undefined, accountId: string): T | null {
  return one !== undefined && one.accountId === accountId ? one.value : null;
}
