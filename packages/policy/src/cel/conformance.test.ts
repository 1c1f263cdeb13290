/**
 * The CEL project's own tests for implementations (cel-spec 0.25.1). Everything of the core language and of the string
 * extension that needs no protobuf message has to be as expected; what is left out stands here, with the reason.
 */
import { describe, expect, it } from 'vitest';
import { conformanceTests, difference, evaluate, type ConformanceTest } from '../testing/conformance.ts';
import { makeContext } from '../testing/context.ts';
import { evaluateByLibrary } from '../testing/oracle.ts';
import type { Scope } from './scope.ts';
import { Failure } from './value.ts';
import { RequestParts } from './variables/request-parts.ts';
import { BUDGET } from './work.ts';

/** Extensions that the policy language does not have (traffic-policy.md §7). */
const FOREIGN = new Set(['block_ext', 'macros2', 'math_ext', 'optionals', 'proto2_ext']);

/** Names of messages, and of the packages that the tests keep them in. */
const MESSAGES = /TestAllTypes|TestRequired|GlobalEnum|NestedEnum|google\.protobuf\.(?!Timestamp|Duration)|Value\s*\{/;

const WRITTEN = 'refused when it is written, where the test wants a run-time error that something absorbs';
const NEVER = 'refused when it is written, because it can never hold: as a rule it would let everybody through';
const ESCAPED = 'the parser has no escaped names, which cel-go has off by default';
const DOTTED = 'binds a dotted name of its own; the dotted names of policies are declared (variables.test.ts)';
const CONTAINER = 'resolves names in a container, which policies do not have';

/** By name, or by the beginning of names when it ends in a slash. */
const EXCLUDED: ReadonlyMap<string, string> = new Map([
  ['basic/variables/unbound_is_runtime_error', WRITTEN],
  ['basic/functions/unbound_is_runtime_error', WRITTEN],
  ['parse/receiver_function_names/', WRITTEN],
  ['logic/AND/short_circuit_type_left', WRITTEN],
  ['logic/AND/short_circuit_type_right', WRITTEN],
  ['logic/OR/short_circuit_type_left', WRITTEN],
  ['logic/OR/short_circuit_type_right', WRITTEN],
  ['comparisons/eq_literal/not_eq_list_length', NEVER],
  ['comparisons/in_map_literal/key_in_mixed_key_type_map_cross_type', NEVER],
  ['fields/quoted_map_fields/', ESCAPED],
  ['fields/qualified_identifier_resolution/qualified_ident', DOTTED],
  ['fields/qualified_identifier_resolution/map_field_select', DOTTED],
  ['fields/qualified_identifier_resolution/qualified_identifier_resolution_unchecked', DOTTED],
  ['fields/qualified_identifier_resolution/ident_with_longest_prefix_check', DOTTED],
  ['namespace/qualified/self_eval_qualified_lookup', DOTTED],
  ['namespace/namespace/self_eval_container_lookup', CONTAINER],
  ['namespace/namespace/self_eval_container_lookup_unchecked', CONTAINER],
  ['encoders_ext/decode/hello_without_padding', 'base64.decode fails on wrong padding (traffic-policy.md §7)'],
]);

function exclusionOf({ name }: ConformanceTest): string | undefined {
  for (const [key, reason] of EXCLUDED) if (key.endsWith('/') ? name.startsWith(key) : name === key) return reason;
  return undefined;
}

function needsMessages(test: ConformanceTest): boolean {
  return (
    test.bindings === null || test.expected === null || MESSAGES.test(test.expression) || MESSAGES.test(test.container)
  );
}

const makeScope = (): Scope => ({
  context: makeContext(),
  vars: new Map(),
  locals: [],
  budget: BUDGET,
  parts: new RequestParts(),
});

function outcomeOf(test: ConformanceTest): string {
  const { expected } = test;
  const wanted = expected === null || expected === 'error' ? new Failure('an error') : expected.value;
  return difference(evaluate(test, makeScope()), wanted, makeScope());
}

const all = conformanceTests();
const ours = all.filter((test) => !FOREIGN.has(test.name.split('/', 1)[0] ?? '') && !needsMessages(test));

describe('the CEL conformance suite', () => {
  it('is there, and most of it is of this language', () => {
    expect([all.length, ours.length]).toEqual([2344, 1308]);
  });

  it.each(ours.filter((test) => exclusionOf(test) === undefined))('$name', (test) => {
    expect([test.expression, outcomeOf(test)]).toEqual([test.expression, 'the same']);
  });

  it.each([...EXCLUDED.keys()])('%s has to be left out still', (key) => {
    const left = ours.filter(({ name }) => (key.endsWith('/') ? name.startsWith(key) : name === key));
    expect(left.length).toBeGreaterThan(0);
    expect(left.some((test) => outcomeOf(test) !== 'the same')).toBe(true);
  });
});

/** Where the library is not as the suite wants it: it has no cel.bind, and takes 0 and 0u for two keys. */
const OF_THE_LIBRARY: ReadonlySet<string> = new Set([
  'bindings_ext/bind/boolean_literal',
  'bindings_ext/bind/string_concat',
  'bindings_ext/bind/bind_nested',
  'bindings_ext/bind/macro_exists',
  'bindings_ext/bind/macro_not_exists',
  'fields/qualified_identifier_resolution/map_value_repeat_key_heterogeneous',
]);

describe('the CEL library over the same tests', () => {
  it.each(ours.filter((test) => exclusionOf(test) === undefined && !OF_THE_LIBRARY.has(test.name)))('$name', (test) => {
    const theirs = evaluateByLibrary(test.expression, makeScope(), test.bindings ?? new Map());
    const verdict = difference(evaluate(test, makeScope()), theirs, makeScope());
    expect([test.expression, verdict]).toEqual([test.expression, 'the same']);
  });
});
