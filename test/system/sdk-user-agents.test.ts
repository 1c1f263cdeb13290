/** The filter of user agents, as the unmodified npm `@ngrok/ngrok` asks for it. */
import { expect, test } from 'vitest';
import { Platform } from '../support/platform.ts';
import { sessionBuilder } from '../support/sdk.ts';
import { httpUpstream } from '../support/upstream.ts';

test('who matches an allowed pattern or no denied one comes in; who has no user agent has to be allowed', async () => {
  const platform = await Platform.start();
  const upstream = await httpUpstream((_request, response) => response.end('in'));
  const session = await sessionBuilder(platform).connect();
  try {
    const url = async (host: string, allow: readonly string[], deny: readonly string[]): Promise<string> => {
      const builder = session.httpEndpoint().domain(host);
      for (const pattern of allow) builder.allowUserAgent(pattern);
      for (const pattern of deny) builder.denyUserAgent(pattern);
      return (await builder.listenAndForward(upstream.url)).url() ?? '';
    };
    const bots = await url('bots.example.com', ['(?i)google-images'], ['(?i)google', '[Bb]ing']);
    const status = async (to: string, agent: string | null): Promise<unknown> => {
      const { status: code, headers } = await platform.visit(
        to,
        agent === null ? {} : { headers: { 'user-agent': agent } },
      );
      return [code, headers['ngrok-error-code']];
    };
    const refused = [403, 'ERR_NGROK_3211'];
    const taken = [200, undefined];
    expect(await status(bots, 'Googlebot/2.1')).toEqual(refused);
    expect(await status(bots, 'bingbot')).toEqual(refused);
    expect(await status(bots, 'Google-Images/1')).toEqual(taken);
    expect(await status(bots, 'curl/8')).toEqual(taken);
    expect(await status(bots, null)).toEqual(refused);
    const empty = await url('empty.example.com', ['^$'], ['.']);
    expect(await status(empty, null)).toEqual(taken);
    expect(await status(empty, 'curl/8')).toEqual(refused);
    await expect(url('wrong.example.com', [], ['('])).rejects.toThrow(/UserAgentFilter/);
  } finally {
    await platform.dispose();
    await session.close().catch(() => undefined);
    await upstream.close();
  }
});
