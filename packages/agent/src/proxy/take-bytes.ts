import type { Duplex } from 'node:stream';

/**
 * Waits for as many bytes as `lengthOf` says of what has come; what comes behind them stays in the stream.
 * @param lengthOf undefined = not to be told yet
 * @param most bytes that are waited for
 */
export function takeBytes(
  stream: Duplex,
  lengthOf: (got: Buffer) => number | undefined,
  most: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let got = Buffer.alloc(0);
    const settle = (end: () => void): void => {
      stream.off('readable', onReadable);
      stream.off('end', onEnd);
      stream.off('error', onError);
      stream.off('close', onEnd);
      end();
    };
    const onEnd = (): void => settle(() => reject(new Error('it closed the connection')));
    const onError = (error: Error): void => settle(() => reject(error));
    const onReadable = (): void => {
      for (;;) {
        const chunk: unknown = stream.read();
        if (!(chunk instanceof Buffer)) return;
        got = Buffer.concat([got, chunk]);
        const length = lengthOf(got);
        if (length !== undefined && length <= got.length) {
          const [taken, rest] = [got.subarray(0, length), got.subarray(length)];
          settle(() => {
            if (rest.length > 0) stream.unshift(rest);
            resolve(taken);
          });
          return;
        }
        if (got.length > most) return settle(() => reject(new Error(`its answer has more than ${most} bytes`)));
      }
    };
    stream.on('readable', onReadable);
    stream.on('end', onEnd);
    stream.on('close', onEnd);
    stream.on('error', onError);
    onReadable();
  });
}
