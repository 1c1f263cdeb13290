import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOW } from '../../testing/context.ts';
import { CLOUD, run } from '../../testing/run.ts';
import { CHALLENGES, SCHEMES } from './providers.ts';
import { PROVIDERS, type Provider } from './schema.ts';
import type { Message } from './schemes/scheme.ts';
import { send, SIGNERS, type Sent } from './testing.ts';

const R = 'on_http_request';
const OK = { actions: [{ type: 'custom-response', config: { status_code: 204 } }] };

/** The status that a visitor gets. */
async function status(provider: Provider, sent: Sent, secret = SIGNERS[provider].secret): Promise<number> {
  const rule = { actions: [{ type: 'verify-webhook', config: { provider, secret } }] };
  const { outcome } = await run(R, [rule, OK], sent, CLOUD);
  if (outcome.kind === 'respond') return outcome.status;
  return outcome.kind === 'error' ? outcome.error.status : 0;
}

/** Signed in their bodies. */
const others = PROVIDERS.filter((provider) => provider !== 'mailgun' && provider !== 'sns');
/** They show a secret, and sign nothing. */
const tokens: readonly Provider[] = ['gitlab', 'vmware'];

describe.each(others)('%s', (provider) => {
  it('lets its webhooks in', async () => {
    expect(await status(provider, send(provider, NOW))).toBe(204);
  });

  it('lets in nothing that was signed with another secret', async () => {
    const { otherSecret } = SIGNERS[provider];
    expect(await status(provider, send(provider, NOW, otherSecret))).toBe(403);
    expect(await status(provider, send(provider, NOW), otherSecret)).toBe(403);
  });

  it('lets in nothing unsigned, nor with a part of it missing or there twice', async () => {
    const sent = send(provider, NOW);
    expect(await status(provider, { ...sent, headers: [] })).toBe(403);
    const needed = sent.headers.filter(([name]) => !/primary|signature-1$/i.test(name));
    for (const line of needed) {
      const rest = sent.headers.filter((other) => other !== line);
      expect(await status(provider, { ...sent, headers: rest })).toBe(403);
      expect(await status(provider, { ...sent, headers: [...sent.headers, line] })).toBe(403);
      expect(await status(provider, { ...sent, headers: [...rest, [line[0], '']] })).toBe(403);
      expect(await status(provider, { ...sent, headers: [...rest, [line[0], `${line[1]}0`]] })).toBe(403);
    }
  });
});

it.each(others.filter((provider) => !tokens.includes(provider)))('%s lets in no other body', async (provider) => {
  const sent = send(provider, NOW);
  for (const at of [0, 3, sent.body.length - 1]) {
    const body = Buffer.from(sent.body);
    body[at] = (body[at] ?? 0) ^ 1;
    expect(await status(provider, { ...sent, body })).toBe(403);
  }
  expect(await status(provider, { ...sent, body: Buffer.concat([sent.body, Buffer.from('x')]) })).toBe(403);
  expect(await status(provider, { ...sent, body: Buffer.alloc(0) })).toBe(403);
});

it.each(others.filter((name) => SIGNERS[name].timed))('%s lets in nothing from another time', async (provider) => {
  const tolerated = provider === 'box' ? 600 : provider === 'calendly' ? 180 : 300;
  expect(await status(provider, send(provider, NOW - (tolerated - 1) * 1000))).toBe(204);
  expect(await status(provider, send(provider, NOW + (tolerated - 1) * 1000))).toBe(204);
  expect(await status(provider, send(provider, NOW - (tolerated + 2) * 1000))).toBe(403);
  expect(await status(provider, send(provider, NOW + (tolerated + 2) * 1000))).toBe(403);
});

describe('whatever a visitor sends', () => {
  const WORDS = [
    't=',
    'v1=',
    'v0=',
    'v1,',
    'sha256=',
    's=',
    ',',
    ', ',
    ' ',
    '.',
    '=',
    '"',
    '{',
    '%',
    '\ud800',
    'ÿ',
    '::',
  ];
  const TIMES = [String(NOW), String(NOW / 1000), new Date(NOW).toISOString(), '9'.repeat(20), '-1', 'NaN'];
  const LONG = ['00'.repeat(32), Buffer.alloc(32).toString('base64'), 'HMAC ', 'Basic ', 'x'.repeat(5000)];
  const garbage = fc
    .array(fc.oneof(fc.constantFrom(...WORDS, ...TIMES, ...LONG), fc.string()), { maxLength: 6 })
    .map((parts) => parts.join(''));
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.oneof(fc.json(), garbage).map((value) => Buffer.from(`{"signature":${value}}`)),
    fc.json().map((value) => Buffer.from(`{"signature":{"timestamp":${NOW},"token":"t","signature":${value}}}`)),
  );
  const sent = fc.record({
    method: fc.constantFrom('GET', 'POST', 'x'),
    authority: garbage,
    target: garbage,
    body: bodies,
    values: fc.array(fc.option(garbage, { nil: undefined }), { minLength: 4, maxLength: 4 }),
  });

  it.each(PROVIDERS)('%s refuses it, and throws nothing', (provider) => {
    const signer = SIGNERS[provider];
    const verify = SCHEMES[provider].prepare(signer.secret);
    if (typeof verify === 'string') throw new Error(verify);
    const names = signer.headers(Buffer.from('{}'), NOW, signer.secret).map(([name]) => name.toLowerCase());
    fc.assert(
      fc.property(sent, ({ values, ...facts }) => {
        const header = (name: string): string | undefined => values[Math.max(0, names.indexOf(name))];
        const message: Message = { ...facts, scheme: 'https', header, now: NOW };
        expect(verify(message)).toBe(false);
        for (const ask of [CHALLENGES[provider]?.unsigned, CHALLENGES[provider]?.signed]) {
          expect(ask?.(message, signer.secret, false) ?? { status: 200 }).toHaveProperty('status');
        }
      }),
      { numRuns: 200 },
    );
  });

  it('is not read when there is nothing to compare it with', async () => {
    const rule = { actions: [{ type: 'verify-webhook', config: { provider: 'github', secret: 's' } }] };
    const { outcome } = await run(R, [rule], { method: 'POST', body: Buffer.alloc(9 * 1024 * 1024) });
    expect(outcome).toMatchObject({ kind: 'error', error: { number: 3204 } });
  });
});
