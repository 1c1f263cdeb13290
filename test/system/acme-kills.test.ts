/**
 * A server that is killed between two steps of an order and started anew: one certificate, the account is kept, and the
 * authority is asked for one order more at most. The authority stands behind a relay that stops at each request, before
 * and after the authority has acted, so that the kill falls exactly there.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AcmeServer } from '../support/acme-server.ts';
import type { CaRelay, Place } from '../support/ca-relay.ts';
import { findPebble, type Pebble } from '../support/pebble.ts';
import { Platform } from '../support/platform.ts';
import { shownAt } from '../support/tls-clients.ts';
import { until } from '../support/until.ts';

/** Nobody points it here: it costs no order of its own. */
const BASE = 'tun.example.com';
const at = (step: Place['step'], side: Place['side'], nth = 1): Place => ({ step, side, nth });

/** Of an account, which is made once. */
const ACCOUNT: readonly Place[] = [
  at('account', 'after'),
  at('account', 'before'),
  at('directory', 'before'),
  at('nonce', 'before'),
];
/** Of an order, those first that leave most behind. */
const ORDER: readonly Place[] = [
  at('order', 'after'),
  at('challenge', 'after'),
  at('finalize', 'after'),
  at('download', 'after'),
  at('order', 'before'),
  at('look', 'before'),
  at('look', 'after'),
  at('authorization', 'before'),
  at('authorization', 'after'),
  at('challenge', 'before'),
  at('authorization', 'before', 2),
  at('authorization', 'after', 2),
  at('look', 'before', 2),
  at('look', 'after', 2),
  at('finalize', 'before'),
  at('look', 'before', 3),
  at('look', 'after', 3),
  at('download', 'before'),
  at('wish', 'before'),
];
/** Of an order that takes the place of a certificate. */
const RENEWAL: readonly Place[] = [at('order', 'after'), at('download', 'after'), at('finalize', 'after')];
const KILLS = Number(process.env['POSTERN_ACME_KILLS'] ?? 0);
/** All of them from 20 on; a slice in each run. */
const few = (places: readonly Place[], count: number): readonly Place[] =>
  KILLS >= 20 ? places : places.slice(0, count);
const programs = await findPebble();

describe.skipIf(programs === null)('with Pebble', () => {
  const undo: (() => unknown)[] = [];
  let pebble: Pebble;
  let relay: CaRelay;
  let ports: AcmeServer['ports'];
  let platform: Platform;
  let server: AcmeServer;
  let rounds = 0;

  beforeAll(async () => {
    if (programs === null) return;
    const made = await AcmeServer.prepare(programs, BASE, [], undo);
    ({ pebble, relay, ports } = made);
    server = made;
    platform = await Platform.start(made.options);
    undo.push(() => platform.dispose());
  });
  afterAll(async () => {
    for (const one of undo.toReversed()) await one();
  });

  async function killed(reached: Promise<void>): Promise<void> {
    await reached;
    await platform.stop('SIGKILL');
    relay.drop();
  }

  async function restart(): Promise<void> {
    platform = await platform.restart('SIGKILL', server.options);
  }

  /** Serial number of what a client that trusts Pebble alone is shown; null = nothing that it trusts. */
  const shown = async (name: string): Promise<string | null> =>
    (await shownAt(ports.https, name, pebble.root))?.serialNumber ?? null;

  async function reserve(): Promise<{ id: string; name: string }> {
    rounds += 1;
    const name = `shop-${rounds}.customer-${rounds}.example`;
    await pebble.point(name);
    const { status, body } = await platform.api('POST', '/reserved_domains', { domain: name });
    expect(status).toBe(201);
    return { id: body.id, name };
  }

  const setKeyType = (id: string, type: 'rsa' | 'ecdsa') =>
    platform.api('PATCH', `/reserved_domains/${id}`, {
      certificate_management_policy: { authority: 'letsencrypt', private_key_type: type },
    });

  /** The certificates that there are for a name. */
  async function kept(name: string): Promise<readonly { private_key_type: string; serial_number: string }[]> {
    const { tls_certificates: all } = (await platform.api('GET', '/tls_certificates?limit=100')).body;
    return all.filter((one: { subject_common_name: string; subject_alternative_names: { dns_names: string[] } }) =>
      one.subject_alternative_names.dns_names.includes(name),
    );
  }

  test('an account is made once, wherever that was broken off', async () => {
    const places = few(ACCOUNT, 1);
    for (const [index, place] of places.entries()) {
      const reached = relay.hold(place);
      if (index === 0) await reserve();
      else await restart();
      await killed(reached);
    }
    await restart();
    expect(await until(() => shown('shop-1.customer-1.example'))).toEqual(expect.any(String));
    expect(relay.made).toEqual({ account: 1, order: 1 });
  });

  test.each(few(ORDER, 4))('$step $nth: killed $side the authority has acted', async (place) => {
    const before = { ...relay.made };
    const reached = relay.hold(place);
    const { name } = await reserve();
    await killed(reached);
    await restart();
    const serial = await until(() => shown(name));
    const certificates = await kept(name);
    expect(certificates.map((one) => one.serial_number.toUpperCase())).toEqual([serial]);
    expect(relay.made.account).toBe(before.account);
    expect(relay.made.order - before.order).toBeGreaterThanOrEqual(1);
    expect(relay.made.order - before.order).toBeLessThanOrEqual(2);
  });

  test.each(few(RENEWAL, 1))('$step $nth of a renewal: killed $side the authority has acted', async (place) => {
    const { id, name } = await reserve();
    const old = await until(() => shown(name));
    const before = { ...relay.made };
    const reached = relay.hold(place);
    await setKeyType(id, 'rsa');
    await killed(reached);
    await restart();
    // The old one is served from the first moment on, until the new one is.
    expect(await shown(name)).not.toBeNull();
    await until(async () => ![null, old].includes(await shown(name)));
    expect(await kept(name)).toMatchObject([{ private_key_type: 'rsa' }]);
    expect(relay.made.account).toBe(before.account);
    expect(relay.made.order - before.order).toBeLessThanOrEqual(2);
  });
});
