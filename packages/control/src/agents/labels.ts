import { fail } from '@postern/errors';
import type { LabelBindRequest } from '@postern/protocol';
import type { TunnelRecord } from '@postern/registry';
import { deniedLabel } from '../rules/acl.ts';
import { run } from '../change/change.ts';
import { putOnline } from '../change/confirm.ts';
import type { Core } from '../core.ts';
import { checkLength, METADATA_BYTES } from '../texts.ts';
import { checkFieldLength, FORWARDS_TO_BYTES, requireSession } from './bind.ts';

const LABELS = 32;
const LABEL_BYTES = 255;

/**
 * A listener without an address, reached through edges whose tunnel group matches its labels (agent-protocol.md §5.5).
 * @throws 100, 300, 324, 358, 399, 15003, 90052
 */
export async function bindLabels(
  core: Core,
  sessionId: string,
  request: LabelBindRequest,
): Promise<{ readonly id: string }> {
  const { session: asked, credential } = await requireSession(core, sessionId);
  checkLength(request.metadata, METADATA_BYTES, 100);
  checkFieldLength('forwards_to', request.forwardsTo, FORWARDS_TO_BYTES);
  if (!['', 'http1', 'http2'].includes(request.forwardsProto)) throw fail(15003, { protocol: request.forwardsProto });
  checkLabels(request.labels);
  const denied = deniedLabel(credential.acl, request.labels);
  if (denied !== null) throw fail(399, { label: denied, acl: credential.acl.join(', ') });

  const done = await run(
    core,
    (keys) => keys.id(sessionId).labelled(asked.accountId),
    async () => {
      const session = await core.registry.getSession(sessionId);
      if (session === null) throw fail(90052, { id: sessionId });
      const limit = core.config.limits.endpointsPerSession;
      if ((await core.registry.tunnelsOfSession(sessionId)).length >= limit) throw fail(324, { limit });
      const id = core.ids.next('tn');
      const now = core.timestamp();
      const made: TunnelRecord = {
        id,
        bindId: id,
        accountId: session.accountId,
        sessionId,
        startedAt: now,
        updatedAt: now,
        metadata: request.metadata,
        description: '',
        name: '',
        forwardsTo: request.forwardsTo,
        forwardsProto: request.forwardsProto === 'http2' ? 'http2' : 'http1',
        labels: request.labels,
        endpoint: null,
        tookFrom: [],
      };
      return { answer: made, writes: [], registry: [{ op: 'put', tunnel: made }] };
    },
  );
  await putOnline(core, labelsText(request.labels), done);
  return { id: done.answer.bindId };
}

function checkLabels(labels: Readonly<Record<string, string>>): void {
  const entries = Object.entries(labels);
  if (entries.length === 0) throw fail(358, { reason: 'there are none; give at least one name=value' });
  if (entries.length > LABELS) throw fail(358, { reason: `there are ${entries.length}; ${LABELS} are allowed` });
  for (const [name, value] of entries) {
    if (name === '' || value === '') throw fail(358, { reason: `"${name}=${value}" has an empty side` });
    if (Buffer.byteLength(name) > LABEL_BYTES || Buffer.byteLength(value) > LABEL_BYTES) {
      throw fail(358, { reason: `"${name.slice(0, 40)}…" has a side of more than ${LABEL_BYTES} bytes` });
    }
  }
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}
