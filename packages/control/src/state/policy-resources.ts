/**
 * What policies of the accounts name, which log-ins are over, and which of it a change touches: rows as the store has them, made into what edges
 * are told. Part of the catalog, so that it changes with it.
 */
import type { PolicyResource } from '@postern/link';
import type { Tables, Write } from '@postern/store';
import { Mirror } from './mirror.ts';

/** What edges have to take and to forget. */
export interface ResourceChange {
  readonly upserts: readonly PolicyResource[];
  readonly removes: readonly string[];
}

const THEMSELVES: ReadonlySet<Write['table']> = new Set([
  'vaultSecrets',
  'ipPolicies',
  'certificateAuthorities',
  'endedLogins',
]);

export class PolicyResources {
  readonly mirrors = {
    vaults: new Mirror<Tables['vaults']>(),
    vaultSecrets: new Mirror<Tables['vaultSecrets']>(({ vaultId }) => [vaultId]),
    ipPolicies: new Mirror<Tables['ipPolicies']>(),
    ipPolicyRules: new Mirror<Tables['ipPolicyRules']>(({ ipPolicyId }) => [ipPolicyId]),
    certificateAuthorities: new Mirror<Tables['certificateAuthorities']>(),
    endedLogins: new Mirror<Tables['endedLogins']>(),
  } as const;

  /** As it is now; null = there is none of that id. */
  get(id: string): PolicyResource | null {
    return this.#secret(id) ?? this.#ipPolicy(id) ?? this.#authority(id) ?? this.#endedLogin(id);
  }

  *all(): Iterable<PolicyResource> {
    const { vaultSecrets, ipPolicies, certificateAuthorities, endedLogins } = this.mirrors;
    for (const rows of [vaultSecrets.all(), ipPolicies.all(), certificateAuthorities.all(), endedLogins.all()]) {
      for (const { id } of rows) {
        const resource = this.get(id);
        if (resource !== null) yield resource;
      }
    }
  }

  /** Ids of what the writes touch, as far as it is there: ask before and after they hold. */
  touchedBy(writes: readonly Write[]): readonly string[] {
    const { vaultSecrets, ipPolicyRules } = this.mirrors;
    return writes.flatMap((write) => {
      const id = write.op === 'insert' ? write.row.id : write.id;
      if (THEMSELVES.has(write.table)) return [id];
      if (write.table === 'vaults') return vaultSecrets.at(id).map((secret) => secret.id);
      return write.table === 'ipPolicyRules' ? (ipPolicyRules.get(id)?.ipPolicyId ?? []) : [];
    });
  }

  /** @param ids touched by what has happened */
  change(ids: Iterable<string>): ResourceChange {
    const upserts: PolicyResource[] = [];
    const removes: string[] = [];
    for (const id of new Set(ids)) {
      const resource = this.get(id);
      if (resource === null) removes.push(id);
      else upserts.push(resource);
    }
    return { upserts, removes };
  }

  #secret(id: string): PolicyResource | null {
    const row = this.mirrors.vaultSecrets.get(id);
    const vault = row === null ? null : this.mirrors.vaults.get(row.vaultId);
    if (row === null || vault === null) return null;
    const { accountId, name, value } = row;
    return { kind: 'secret', id, accountId, vault: vault.name, name, value };
  }

  #ipPolicy(id: string): PolicyResource | null {
    const row = this.mirrors.ipPolicies.get(id);
    if (row === null) return null;
    const rules = this.mirrors.ipPolicyRules.at(id);
    const networks = (wanted: string): string[] =>
      rules.filter(({ action }) => action === wanted).map(({ cidr }) => cidr);
    return { kind: 'ip-policy', id, accountId: row.accountId, allow: networks('allow'), deny: networks('deny') };
  }

  #endedLogin(id: string): PolicyResource | null {
    const row = this.mirrors.endedLogins.get(id);
    return row === null ? null : { kind: 'ended-login', id, accountId: row.accountId, begunBefore: row.begunBefore };
  }

  #authority(id: string): PolicyResource | null {
    const row = this.mirrors.certificateAuthorities.get(id);
    return row === null ? null : { kind: 'certificate-authority', id, accountId: row.accountId, pem: row.caPem };
  }
}
