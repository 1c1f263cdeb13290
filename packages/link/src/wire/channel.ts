import type { ChildProcess, Serializable } from 'node:child_process';
import type { MessagePort } from 'node:worker_threads';

/** A way of messages to one other side, in order, each whole. Values are copied as structured clones. */
export interface Channel {
  post(message: Serializable): void;
  /** Called once, before anything is posted. `onClose` runs once, whoever ended it. */
  open(onMessage: (message: unknown) => void, onClose: () => void): void;
  close(): void;
}

export function overMessagePort(port: MessagePort): Channel {
  return {
    post: (message) => port.postMessage(message),
    open(onMessage, onClose) {
      port.on('message', onMessage);
      port.once('close', onClose);
    },
    close: () => port.close(),
  };
}

/**
 * A child started with an IPC channel, or `process` inside it. Both sides need `serialization: 'advanced'`, or bytes
 * and undefined members do not arrive as they are.
 */
export function overProcess(other: ChildProcess | NodeJS.Process): Channel {
  return {
    // A channel that closes meanwhile tells by its event; the message has nobody to reach.
    post: (message) => void (other.connected && other.send?.(message, undefined, undefined, () => {})),
    open(onMessage, onClose) {
      const emitter: NodeJS.EventEmitter = other;
      emitter.on('message', onMessage);
      emitter.once('disconnect', onClose);
    },
    close: () => {
      if (other.connected) other.disconnect?.();
    },
  };
}

/** Several ways of messages over one, by name. Closing one of them closes all. */
export function split<const Name extends string>(channel: Channel, names: readonly Name[]): Record<Name, Channel> {
  const parts = new Map<string, { readonly onMessage: (message: unknown) => void; readonly onClose: () => void }>();
  let opened = false;
  const open = (): void => {
    if (opened) return;
    opened = true;
    channel.open(
      (tagged) => {
        // Both ends are this function.
        // oxlint-disable-next-line no-unsafe-type-assertion
        const { to, message } = tagged as { readonly to: string; readonly message: unknown };
        parts.get(to)?.onMessage(message);
      },
      () => {
        for (const { onClose } of parts.values()) onClose();
      },
    );
  };
  const part = (name: string): Channel => ({
    post: (message) => channel.post({ to: name, message }),
    open(onMessage, onClose) {
      parts.set(name, { onMessage, onClose });
      open();
    },
    close: () => channel.close(),
  });
  // oxlint-disable-next-line no-unsafe-type-assertion
  return Object.fromEntries(names.map((name) => [name, part(name)])) as Record<Name, Channel>;
}
