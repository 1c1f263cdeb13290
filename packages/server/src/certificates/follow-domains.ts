import type { CertificateManager } from '@postern/acme';
import type { Control } from '@postern/control';
import type { Store, Write } from '@postern/store';
import type { Logger } from '../log.ts';
import { messageOf } from '../problem.ts';
import type { StoredCertificates } from './stored-certificates.ts';

interface Parts {
  readonly store: Store;
  readonly stored: StoredCertificates;
  readonly control: Pick<Control, 'certificatesChanged'>;
  readonly log: Logger;
}

/** What is served, and what is ordered, follows the reserved domains: one change after the other. */
export function followDomains({ store, stored, control, log }: Parts): {
  written(writes: readonly Write[]): void;
  /** Who orders certificates, once it is there. */
  manage(manager: CertificateManager | null): void;
  /** Resolves when what was written so far has been followed. */
  settled(): Promise<void>;
} {
  let manager: CertificateManager | null = null;
  let last: Promise<void> = Promise.resolve();
  const changed = async (id: string): Promise<void> => {
    const row = await store.reservedDomains.get(id);
    const names = await stored.domainChanged(id, row);
    if (names.length > 0) await control.certificatesChanged(names);
    await manager?.domainChanged(id);
  };
  return {
    written(writes) {
      for (const write of writes) {
        if (write.table !== 'reservedDomains') continue;
        const id = write.op === 'insert' ? write.row.id : write.id;
        last = last
          .then(() => changed(id))
          .catch((error: unknown) => log.error({ reason: messageOf(error) }, 'a change of a domain was not followed'));
      }
    },
    manage(created) {
      manager = created;
    },
    settled: () => last,
  };
}
