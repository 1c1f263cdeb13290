/** Webhook verification, as the unmodified npm `@ngrok/ngrok` asks for it. */
import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { Platform } from '../support/platform.ts';
import { sessionBuilder } from '../support/sdk.ts';
import { httpUpstream } from '../support/upstream.ts';

const SECRET = 'a ${secret}';

test('a signed delivery reaches the service, and no other does', async () => {
  const platform = await Platform.start();
  const bodies: number[] = [];
  const upstream = await httpUpstream((request, response) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => (bytes += chunk.length));
    request.on('end', () => {
      bodies.push(bytes);
      response.end();
    });
  });
  const session = await sessionBuilder(platform).connect();
  try {
    const listener = await session
      .httpEndpoint()
      .domain('hooks.example.com')
      .webhookVerification('github', SECRET)
      .listenAndForward(upstream.url);
    const body = JSON.stringify({ filler: 'x'.repeat(100_000) });
    const signature = `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`;
    const post = (headers: Record<string, string>) =>
      platform.visit(listener.url() ?? '', { method: 'POST', body, headers });
    const other = signature.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    const refused = await post({ 'x-hub-signature-256': other });
    expect([refused.status, refused.headers['ngrok-error-code']]).toEqual([403, 'ERR_NGROK_3204']);
    expect((await post({})).status).toBe(403);
    expect((await post({ 'x-hub-signature-256': signature })).status).toBe(200);
    expect(bodies).toEqual([body.length]);
  } finally {
    await platform.dispose();
    await session.close().catch(() => undefined);
    await upstream.close();
  }
});
