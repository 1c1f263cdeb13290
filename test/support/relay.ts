import type net from 'node:net';

/** Passes bytes, half-closes and ends between two sockets, until both are gone. Both must allow half-open. */
export function relay(near: net.Socket, far: net.Socket): void {
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    from.on('error', () => to.destroy());
    // What is on its way still arrives.
    from.on('close', () => to.destroySoon());
    from.pipe(to);
  }
}
