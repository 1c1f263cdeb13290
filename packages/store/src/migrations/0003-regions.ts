/** The region that was asked for when a name or an address was reserved; '' where none was. */
import type { Migration } from './step.ts';

export const regions: Migration = {
  version: 3,
  name: 'regions of reservations',
  steps: [
    { do: 'add-column', table: 'reserved_domains', column: { name: 'region', kind: 'text', value: '' } },
    { do: 'add-column', table: 'reserved_addrs', column: { name: 'region', kind: 'text', value: '' } },
  ],
};
