import { expect, it } from 'vitest';
import { makeContext } from '../../testing/context.ts';
import { compilePolicy } from '../../index.ts';
import { CLOUD } from '../../testing/run.ts';

it('ranges that stand in a policy mean the same the first time and every other', () => {
  const list = "['10.1.2.3/8', 'nonsense', '192.0.2.7', '2001:db8::/32', '::ffff:198.51.100.0/120']";
  const policy = compilePolicy(
    {
      on_http_request: [
        { expressions: [`inCidrRanges(conn.client_ip, ${list})`], actions: [{ type: 'deny' }] },
        { actions: [{ type: 'custom-response' }] },
      ],
    },
    CLOUD,
  );
  const status = (clientIp: string): unknown => {
    const outcome = policy.onHttpRequest?.start(makeContext({ clientIp })).next();
    return outcome !== undefined && 'status' in outcome ? outcome.status : outcome;
  };
  for (let time = 0; time < 4; time++) {
    const inside = ['10.200.0.1', '192.0.2.7', '2001:db8:1::1', '198.51.100.9'].map(status);
    const outside = ['11.0.0.1', '192.0.2.8', '2001:db9::1', '198.51.101.9'].map(status);
    expect([time, inside, outside]).toEqual([time, [403, 403, 403, 403], [200, 200, 200, 200]]);
  }
});
