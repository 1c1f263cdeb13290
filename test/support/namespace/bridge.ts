/**
 * Runs inside a network namespace that has nothing but loopback. Each port that it is told of (over IPC) is a door in
 * that loopback; behind it is a Unix socket, which is a file and so reaches out of the namespace.
 */
import net from 'node:net';
import { relay } from '../relay.ts';

export interface Door {
  readonly port: number;
  readonly socketPath: string;
}

process.on('message', (door: Door) => {
  void open(door).then(
    () => process.send?.({ port: door.port }),
    (error: unknown) => process.send?.({ port: door.port, error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));

async function open({ port, socketPath }: Door): Promise<void> {
  await Promise.all(
    ['127.0.0.1', '::1'].map(
      (host) =>
        new Promise<void>((resolve, reject) => {
          const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (near) =>
            relay(near, net.connect({ path: socketPath, allowHalfOpen: true })),
          );
          server.once('error', reject);
          server.listen(port, host, resolve);
        }),
    ),
  );
}
