import { isPosternError } from '@postern/errors';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../index.ts';
import { AGENT } from '../testing/run.ts';
import { parsePolicyDocument } from './document.ts';

const HTTPS = { protocol: 'https' };

/** Whatever comes in, what goes out is a document or an error that a user can read. */
function neverBreaks(source: string | object): boolean {
  try {
    compilePolicy(source, AGENT);
  } catch (error) {
    if (!isPosternError(error)) throw error;
    expect(error.message).not.toMatch(/\{(?:path|reason|type|value|min|max|count|name|field|length)\}/);
  }
  return true;
}

const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
const config = fc.dictionary(
  fc.constantFrom(
    'status_code',
    'body',
    'headers',
    'url',
    'allow',
    'deny',
    'credentials',
    'algorithms',
    'enforce',
    'x',
  ),
  fc.oneof(scalar, fc.array(scalar), fc.dictionary(fc.string(), scalar)),
);
const action = fc.record(
  {
    type: fc.constantFrom('deny', 'custom-response', 'add-headers', 'basic-auth', 'restrict-ips', 'oauth', 'zz'),
    config,
  },
  { requiredKeys: [] },
);
const rules = fc.array(
  fc.record({ name: scalar, expressions: fc.array(fc.string()), actions: fc.array(action) }, { requiredKeys: [] }),
);

describe('policy documents', () => {
  it('never break on any JSON', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => neverBreaks(text)),
      { numRuns: 300 },
    );
  });

  it('never break on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => neverBreaks(text)),
      { numRuns: 300 },
    );
  });

  it('never break on what looks like a policy', () => {
    fc.assert(
      fc.property(fc.constantFrom('on_http_request', 'on_http_response', 'inbound', 'x'), rules, (phase, list) =>
        neverBreaks({ [phase]: list }),
      ),
      { numRuns: 500 },
    );
  });

  it('refuses bombs', () => {
    expect(() => parsePolicyDocument('['.repeat(30_000), HTTPS)).toThrow(/nested/);
    expect(() => parsePolicyDocument(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`, HTTPS)).toThrow(/nested/);
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
    for (let i = 1; i < 9; i++) {
      const name = String.fromCharCode(97 + i);
      const item = `*${String.fromCharCode(96 + i)}`;
      bomb.push(`${name}: &${name} [${Array(9).fill(item).join(',')}]`);
    }
    expect(() => parsePolicyDocument(bomb.join('\n'), HTTPS)).toThrow(/2236|neither JSON nor YAML/);
    let deep: object = {};
    for (let i = 0; i < 100; i++) deep = { a: deep };
    expect(() => parsePolicyDocument({ on_http_request: deep }, HTTPS)).toThrow(/nested/);
  });

  it('keeps names, expressions and paths, and puts old rules behind new ones', () => {
    const document = parsePolicyDocument(
      'inbound:\n- name: 404\n  actions: [{type: deny}]\non_http_request:\n- expressions: [true]\n  actions: [{type: deny}]\n',
      HTTPS,
    );
    expect(document.phases.on_http_request.map(({ path, name, expressions }) => ({ path, name, expressions }))).toEqual(
      [
        { path: 'on_http_request[0]', name: '', expressions: ['true'] },
        { path: 'inbound[0]', name: '404', expressions: [] },
      ],
    );
  });
});
