/** `Promise.withResolvers`, which Node has from 22 on, for programs that import `postern/agent` with an older one. */
export function withResolvers() {
  let resolve;
  let reject;
  const promise = new Promise((one, other) => {
    resolve = one;
    reject = other;
  });
  return { promise, resolve, reject };
}
