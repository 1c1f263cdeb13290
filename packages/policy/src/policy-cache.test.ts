import { describe, expect, it } from 'vitest';
import { compilePolicy } from './compile.ts';
import { AGENT, CLOUD } from './testing/run.ts';

describe('equal policies', () => {
  const text = JSON.stringify({ on_http_request: [{ actions: [{ type: 'deny' }] }] });

  it('are compiled once, by text and place', () => {
    expect(compilePolicy(text, AGENT)).toBe(compilePolicy(text, { ...AGENT }));
    expect(compilePolicy(text, AGENT)).not.toBe(compilePolicy(text, CLOUD));
    expect(compilePolicy(text, AGENT)).not.toBe(compilePolicy(`${text} `, AGENT));
  });

  it('are refused again without being read again', () => {
    const wrong = JSON.stringify({
      on_http_request: [{ expressions: ['req.method == 1'], actions: [{ type: 'deny' }] }],
    });
    const refusal = (): unknown => {
      try {
        return compilePolicy(wrong, AGENT);
      } catch (error) {
        return error;
      }
    };
    expect(refusal()).toMatchObject({ number: 2200 });
    expect(refusal()).toBe(refusal());
  });

  it('are forgotten in the end', () => {
    const before = compilePolicy(text, AGENT);
    for (let i = 0; i < 600; i++) compilePolicy(`${text}${' '.repeat(i + 2)}`, AGENT);
    expect(compilePolicy(text, AGENT)).not.toBe(before);
  });
});
