import { StoreUnavailable, type Store } from '@postern/store';
import { describe, expect, test } from 'vitest';
import { FakeEdge } from '../testing/fake-edge.ts';
import { useStore, type Harness } from '../testing/harness.ts';

const open = useStore();

/** `vault/name = value` of each secret that the edge knows. */
function secretsOf(edge: FakeEdge): string[] {
  return [...edge.resources.values()]
    .flatMap((one) => (one.kind === 'secret' ? [`${one.vault}/${one.name} = ${one.value}`] : []))
    .toSorted((a, b) => (a < b ? -1 : 1));
}

async function withSecrets(h: Harness) {
  const { vaults, vaultSecrets } = h.control.api;
  const vault = await vaults.create(h.caller, { name: 'site' });
  const first = await vaultSecrets.create(h.caller, { name: 'a', value: '1', vaultId: vault.id });
  await vaultSecrets.create(h.caller, { name: 'b', value: '2', vaultId: vault.id });
  return { vaults, vaultSecrets, vault, first };
}

describe('secrets', () => {
  test('are at every edge when the call that changes them has answered', async () => {
    const h = await open();
    const second = new FakeEdge();
    await h.control.connectEdge().link.follow(second);
    const { vaults, vaultSecrets, vault, first } = await withSecrets(h);
    for (const edge of [h.edge, second]) expect(secretsOf(edge)).toEqual(['site/a = 1', 'site/b = 2']);
    expect(h.edge.resources.get(first.id)).toMatchObject({ accountId: h.caller.accountId });
    await vaultSecrets.update(h.caller, first.id, { value: '1.1' });
    expect(secretsOf(second)).toEqual(['site/a = 1.1', 'site/b = 2']);
    await vaults.update(h.caller, vault.id, { name: 'renamed' });
    expect(secretsOf(second)).toEqual(['renamed/a = 1.1', 'renamed/b = 2']);
    await vaultSecrets.remove(h.caller, first.id);
    for (const edge of [h.edge, second]) expect(secretsOf(edge)).toEqual(['renamed/b = 2']);
    // Nothing of it is a change of routes.
    expect(h.edge.updates).toHaveLength(1);
  });

  test('are there before the routes for an edge that comes later, and after a restart', async () => {
    const h = await open();
    await withSecrets(h);
    const late = new FakeEdge();
    const known: string[][] = [];
    await h.control.connectEdge().link.follow({
      applySettings: (settings) => late.applySettings(settings),
      applyResources: (update) => late.applyResources(update),
      applyRoutes: (update) => (known.push(secretsOf(late)), late.applyRoutes(update)),
      agentCommand: () => Promise.resolve(''),
      stopTunnel: () => {},
      closeSession: () => {},
      probeSession: () => Promise.resolve(true),
    });
    expect(known).toEqual([['site/a = 1', 'site/b = 2']]);
    const { edge } = await h.restart();
    expect(secretsOf(edge)).toEqual(['site/a = 1', 'site/b = 2']);
  });

  test('whose write nobody heard of are what the store says when it is there again', async () => {
    let silent = false;
    const tamper = (store: Store): Store => ({
      ...store,
      get health() {
        return store.health;
      },
      async commit(writes) {
        const done = await store.commit(writes);
        if (silent) throw new StoreUnavailable('silent', 'unknown');
        return done;
      },
    });
    const h = await open({}, tamper);
    const { vaultSecrets, first } = await withSecrets(h);
    silent = true;
    await expect(vaultSecrets.update(h.caller, first.id, { value: 'new' })).rejects.toBeInstanceOf(StoreUnavailable);
    expect(secretsOf(h.edge)).toEqual(['site/a = 1', 'site/b = 2']);
    silent = false;
    await expect.poll(() => secretsOf(h.edge)).toEqual(['site/a = new', 'site/b = 2']);
  });
});

describe('IP policies', () => {
  test('are at every edge with their rules, as these come and go', async () => {
    const h = await open();
    const { ipPolicies, ipPolicyRules } = h.control.api;
    const policy = await ipPolicies.create(h.caller, {});
    const known = (): unknown => h.edge.resources.get(policy.id);
    const { accountId } = h.caller;
    const empty = { kind: 'ip-policy', id: policy.id, accountId, allow: [], deny: [] };
    expect(known()).toEqual(empty);
    const add = (cidr: string, action: string) =>
      ipPolicyRules.create(h.caller, { ipPolicyId: policy.id, cidr, action });
    const rule = await add('10.0.0.0/8', 'allow');
    await add('10.1.0.0/16', 'deny');
    expect(known()).toEqual({ ...empty, allow: ['10.0.0.0/8'], deny: ['10.1.0.0/16'] });
    await ipPolicyRules.update(h.caller, rule.id, { cidr: '10.0.0.0/9' });
    expect(known()).toEqual({ ...empty, allow: ['10.0.0.0/9'], deny: ['10.1.0.0/16'] });
    await ipPolicyRules.remove(h.caller, rule.id);
    expect(known()).toEqual({ ...empty, deny: ['10.1.0.0/16'] });
    const { edge } = await h.restart();
    expect(edge.resources.get(policy.id)).toEqual({ ...empty, deny: ['10.1.0.0/16'] });
  });

  test('go with their rules', async () => {
    const h = await open();
    const { ipPolicies, ipPolicyRules } = h.control.api;
    const { id } = await ipPolicies.create(h.caller, {});
    await ipPolicyRules.create(h.caller, { ipPolicyId: id, cidr: '10.0.0.0/8', action: 'allow' });
    await ipPolicies.remove(h.caller, id);
    expect([...h.edge.resources.keys()]).toEqual([]);
  });
});
