import { decodeBindOptions } from './bind-options.ts';
import { Fields, isJsonObject } from './fields.ts';
import type { BindRequest } from './types.ts';

/**
 * A Bind of any agent generation (agent-protocol.md §5.2, §5.3).
 * @throws PosternError 301 naming the field
 */
export function decodeBind(value: unknown): BindRequest {
  const fields = new Fields(value, 'Bind', 301);
  const extra = fields.object('Extra') ?? new Fields({}, 'Bind.Extra', 301);
  const rawOpts = fields.raw('Opts') ?? {};
  if (!isJsonObject(rawOpts)) throw fields.fieldError('Opts', 'must be an object');
  return {
    id: fields.string('Id'),
    proto: fields.string('Proto'),
    forwardsTo: fields.string('ForwardsTo'),
    forwardsProto: fields.string('ForwardsProto'),
    rawOpts,
    opts: decodeBindOptions(new Fields(rawOpts, 'Opts', 301)),
    token: extra.string('Token'),
    ipPolicyRef: extra.string('IPPolicyRef'),
    metadata: extra.string('Metadata'),
    bindings: extra.strings('Bindings'),
    poolingEnabled: extra.boolean('PoolingEnabled'),
    name: extra.string('Name'),
    description: extra.string('Description'),
  };
}
