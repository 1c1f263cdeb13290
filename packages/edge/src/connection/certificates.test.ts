/** What an edge keeps of certificates, and what it forgets when some were changed. */
import type { TlsIdentity } from '@postern/link';
import { expect, test } from 'vitest';
import { selfSigned } from '../testing/certificate.ts';
import { edgeHarness } from '../testing/edge-harness.ts';

test('certificates are asked for once, until they are changed: that of one name, or of a wildcard, or any', async () => {
  await using harness = await edgeHarness();
  const questions = (): number => harness.control.certificateQuestions.length;
  await harness.tls('a.example.test', { ALPNProtocols: ['h2'] });
  await harness.tls('a.example.test', { ALPNProtocols: ['h2'] });
  expect(questions()).toBe(1);
  harness.control.certificates.set('a.example.test', selfSigned('a.example.test'));
  await harness.tls('b.example.test');
  expect(questions()).toBe(2);
  const changed = (count: number, ...last: readonly (readonly string[] | null)[]) =>
    harness.control.change({ certificates: { count, last } });
  await changed(1, ['other.test']);
  await harness.tls('a.example.test');
  expect(questions()).toBe(2);
  await changed(2, ['other.test'], ['a.example.test']);
  await expect(harness.tls('a.example.test')).rejects.toThrow(/self-signed/);
  await harness.tls('b.example.test');
  expect(questions()).toBe(3);
  // Deeper names are not of the wildcard, and change nothing.
  await changed(4, ['*.b.example.test', '*.test'], ['*.example.test']);
  await harness.tls('b.example.test');
  expect(questions()).toBe(4);
  // What this edge was not told of may have been any.
  await changed(9, ['other.test']);
  await harness.tls('b.example.test');
  await changed(10, null);
  await harness.tls('b.example.test');
  expect(questions()).toBe(6);
});

test('sessions of one name outlive its new certificate, and nothing of the old one is served', async () => {
  await using harness = await edgeHarness();
  const { control } = harness;
  const name = 'own.example.test';
  const identity = (): TlsIdentity => ({ ...selfSigned(name), line: 'rd_1' });
  const ask = async (session?: Buffer) => {
    const socket = await harness.tls(name, {
      maxVersion: 'TLSv1.2',
      ca: control.certificates.get(name)?.cert ?? '',
      ...(session ? { session } : {}),
    });
    return { reused: socket.isSessionReused(), session: socket.getSession() ?? Buffer.alloc(0) };
  };
  control.certificates.set(name, identity());
  const first = await ask();
  control.certificates.set(name, identity());
  await control.change({ certificates: { count: 1, last: [[name]] } });
  expect((await ask(first.session)).reused).toBe(true);
  // In full: the client has the new one alone.
  expect((await ask()).reused).toBe(false);
});
