import { isPosternError } from '@postern/errors';
import { describe, expect, it } from 'vitest';
import { compilePolicy, type CompileOptions } from './index.ts';

const AGENT: CompileOptions = { protocol: 'https', binding: 'public', kind: 'agent' };

export function refusal(source: string | object, options: CompileOptions = AGENT): string {
  try {
    compilePolicy(source, options);
  } catch (error) {
    if (isPosternError(error)) return `${error.number} ${error.message}`;
    throw error;
  }
  return 'accepted';
}

const request = (...actions: object[]): object => ({ on_http_request: [{ actions }] });

describe('compilePolicy', () => {
  it('accepts JSON, YAML and values, and makes nothing of phases without rules', () => {
    for (const source of [
      '{"on_http_request":[{"actions":[{"type":"deny","config":{"status_code":404}}]}]}',
      'on_http_request:\n  - actions:\n      - type: deny\n        config:\n          status_code: "404"\n',
      request({ type: 'deny' }),
    ]) {
      const policy = compilePolicy(source, AGENT);
      expect(policy.onHttpRequest?.name).toBe('on_http_request');
      expect(policy.onTcpConnect).toBeNull();
      expect(policy.onHttpResponse).toBeNull();
    }
    expect(compilePolicy('', AGENT).onHttpRequest).toBeNull();
  });

  it('names the place of every mistake', () => {
    expect(refusal(request({ type: 'deny' }, { type: 'deny' }))).toMatch(/^2207 on_http_request\[0\]\.actions\[1\]: /);
    expect(refusal(request({ type: 'dney' }))).toMatch(/^2201 on_http_request\[0\]\.actions\[0\]: .*"dney"/);
    expect(refusal(request({ type: 'oauth' }))).toMatch(/^90025 on_http_request\[0\]\.actions\[0\]: .*"oauth"/);
    expect(refusal(request({ type: 'deny', config: { status_code: 'x' } }))).toMatch(
      /^2204 on_http_request\[0\]\.actions\[0\]\.config\.status_code: /,
    );
    expect(refusal(request({ type: 'deny', config: { status_code: 1000 } }))).toMatch(
      /^2215 on_http_request\[0\]\.actions\[0\]\.config\.status_code: 1000 is outside 100 to 599/,
    );
    expect(refusal({ on_http_reqest: [] })).toMatch(/^2203 on_http_reqest: /);
    expect(refusal({ on_http_request: [{ actions: [] }] })).toMatch(/^2206 on_http_request\[0\]: /);
  });
});
