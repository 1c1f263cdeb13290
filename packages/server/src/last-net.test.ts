import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const here = fileURLToPath(new URL('last-net.ts', import.meta.url));

/** A process with the net that makes a mistake, and says "goes on" when it still can. */
function run(mistake: string, up = true): { code: number | null; output: string } {
  const script = `
    const { spreadLastNet, uncaught } = await import(${JSON.stringify(here)});
    const log = { error: (fields, message) => console.log(message, fields.origin, fields.error) };
    const net = spreadLastNet(log);
    if (${up}) net.up();
    // When the mistake has been made, however late that is.
    const began = performance.now();
    const looking = setInterval(() => {
      if (uncaught.count === 0 && performance.now() - began < 60_000) return;
      clearInterval(looking);
      console.log('goes on', uncaught.count);
    }, 20);
    ${mistake}
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  return { code: status, output: stdout + stderr };
}

describe('a mistake that nothing had to catch', () => {
  test.each([
    ['in a callback', "setTimeout(() => { throw new Error('slip'); });", 'uncaughtException'],
    ['in a promise that nobody awaits', "void Promise.reject(new Error('slip'));", 'unhandledRejection'],
    [
      "an 'error' event without a listener",
      "new (await import('node:events')).EventEmitter().emit('error', new Error('slip'));",
      'uncaughtException',
    ],
  ])('%s is logged with its stack and counted, and the process goes on', (_, mistake, origin) => {
    // Thrown by the script itself it would end its own module and not only a callback.
    const { code, output } = run(`setTimeout(async () => { ${mistake} });`);
    expect(output).toContain(
      `it goes on ${origin === 'uncaughtException' && mistake.includes('emit') ? 'unhandledRejection' : origin} Error: slip\n    at `,
    );
    expect(output).toContain('goes on 1');
    expect(code).toBe(0);
  });
});

describe('the process ends', () => {
  test('when the runtime finds its own state to be wrong, or memory gone', () => {
    for (const mistake of [
      "throw Object.assign(new Error('this is a bug in Node.js'), { code: 'ERR_INTERNAL_ASSERTION' });",
      "throw new RangeError('Array buffer allocation failed');",
    ]) {
      const { code, output } = run(`setTimeout(() => { ${mistake} });`);
      expect(output).not.toContain('goes on');
      expect(output).toContain('ended by a mistake inside it (uncaughtException)');
      expect(code).toBe(70);
    }
  });

  test('when it is not up yet', () => {
    const { code, output } = run("setTimeout(() => { throw new Error('slip'); });", false);
    expect(output).not.toContain('goes on');
    expect(code).toBe(1);
  });
});
