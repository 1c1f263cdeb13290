import { describe, expect, it } from 'vitest';
import { literal, mergePolicies } from './merge.ts';
import { parsePolicyDocument } from './schema/document.ts';
import { refusal } from './testing/run.ts';

/** The type of each rule's first action. */
function types(text: string, phase: 'on_tcp_connect' | 'on_http_request' | 'on_http_response'): string[] {
  const document = parsePolicyDocument(text, { protocol: 'https' });
  return document.phases[phase].map((rule) => rule.actions[0]?.type ?? '');
}

describe('mergePolicies', () => {
  it('puts who may come in before the user, and what shapes the message behind', () => {
    const merged = mergePolicies(
      [
        { on_http_response: [{ actions: [{ type: 'compress-response' }] }] },
        { on_http_request: [{ actions: [{ type: 'add-headers', config: { headers: { a: 'b' } } }] }] },
        { on_http_request: [{ actions: [{ type: 'basic-auth', config: { credentials: ['user:password'] } }] }] },
        { on_http_response: [{ actions: [{ type: 'remove-headers', config: { headers: ['a'] } }] }] },
        { on_http_request: [{ actions: [{ type: 'restrict-ips', config: { deny: ['10.0.0.0/8'] } }] }] },
      ],
      'on_http_request:\n- actions: [{type: deny}]\non_http_response:\n- actions: [{type: custom-response}]\n',
      'https',
    );
    expect(types(merged, 'on_http_request')).toEqual(['restrict-ips', 'basic-auth', 'deny', 'add-headers']);
    expect(types(merged, 'on_http_response')).toEqual(['custom-response', 'remove-headers', 'compress-response']);
    expect(refusal(merged)).toBe('accepted');
  });

  it('takes no policy, an old one, and one that is switched off', () => {
    expect(mergePolicies([], '', 'https')).toBe('{}');
    expect(types(mergePolicies([], '{"inbound":[{"actions":[{"type":"deny"}]}]}', 'tcp'), 'on_tcp_connect')).toEqual([
      'deny',
    ]);
    expect(mergePolicies([], '{"enabled":false,"inbound":[{"actions":[{"type":"deny"}]}]}', 'https')).toBe('{}');
  });

  it('refuses a bad policy with its own places', () => {
    expect(() =>
      mergePolicies([{ on_http_request: [{ actions: [{ type: 'basic-auth' }] }] }], '{"inbound":[{}]}', 'https'),
    ).toThrow(/^inbound\[0\]: /);
  });

  it('keeps passwords that look like expressions', () => {
    const password = 'pa${ss}$${word';
    expect(
      refusal({
        on_http_request: [{ actions: [{ type: 'basic-auth', config: { credentials: [`u:${literal(password)}`] } }] }],
      }),
    ).toBe('accepted');
  });
});
