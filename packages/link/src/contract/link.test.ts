import { fork } from 'node:child_process';
import { MessageChannel } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { connectControl, LinkClosed, overMessagePort, serveControl, type Channel } from '../wire/index.ts';
import type { ControlLink } from '../link.ts';
import { AUTH } from './samples.ts';
import { linkContract, UNASKED_CONTROL, UNASKED_EDGE, type OpenLink } from './index.ts';

linkContract('a direct call', (control) => Promise.resolve({ link: control, close: () => {} }));

function overPorts(control: ControlLink, onClosed?: () => void): OpenLink {
  const { port1, port2 } = new MessageChannel();
  const served = serveControl(overMessagePort(port1), control);
  return { link: connectControl(overMessagePort(port2), onClosed), close: () => served.close() };
}
linkContract('a message port', (control) => Promise.resolve(overPorts(control)));

/** Both ends here, all that passes between them through another process. */
async function overChild(control: ControlLink): Promise<OpenLink> {
  const child = fork(fileURLToPath(new URL('relay.ts', import.meta.url)), { serialization: 'advanced', execArgv: [] });
  const listeners: Record<string, (message: unknown) => void> = {};
  child.on('message', (tagged: { readonly to: string; readonly message: unknown }) =>
    listeners[tagged.to]?.(tagged.message),
  );
  const end = (self: string, other: string): Channel => ({
    post: (message) => void child.send({ to: other, message }),
    open(onMessage, onClose) {
      listeners[self] = onMessage;
      child.once('disconnect', onClose);
    },
    close: () => {
      if (child.connected) child.disconnect();
    },
  });
  await new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  serveControl(end('control', 'edge'), control);
  const link = connectControl(end('edge', 'control'));
  return {
    link,
    async close() {
      const over = new Promise((resolve) => child.once('exit', resolve));
      link.close();
      await over;
    },
  };
}
linkContract('another process', overChild);

it('ends every question when the link closes, and tells once', async () => {
  let closed = 0;
  const opened = overPorts({ ...UNASKED_CONTROL, authenticate: () => new Promise(() => {}) }, () => {
    closed += 1;
  });
  const { link } = opened;
  const waiting = link.authenticate(AUTH, '127.0.0.1:1');
  await opened.close();
  await expect(waiting).rejects.toBeInstanceOf(LinkClosed);
  await expect(link.unbind('ts_1', 'ep_1')).rejects.toBeInstanceOf(LinkClosed);
  await expect(link.follow(UNASKED_EDGE)).rejects.toBeInstanceOf(LinkClosed);
  expect(closed).toBe(1);
});

it('says so when something is asked that nobody answers', async () => {
  const { port1, port2 } = new MessageChannel();
  const served = serveControl(overMessagePort(port1), {
    ...UNASKED_CONTROL,
    // Control asks before the edge follows.
    follow: (edge) => edge.applyRoutes({ revision: 1, snapshot: true, upserts: [], removes: [] }),
  });
  const link = connectControl(overMessagePort(port2));
  await expect(link.follow({ ...UNASKED_EDGE })).rejects.toMatchObject({
    name: 'Error',
    message: 'not asked in this test',
  });
  served.close();
});
