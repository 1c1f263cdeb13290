import { parsePolicyDocument } from './schema/document.ts';
import type { CompileOptions } from './runtime.ts';

/**
 * Whether the policy of a tls endpoint lets TLS end at the edge. Whoever serves the endpoint has to know, because plain
 * bytes arrive then.
 * @throws as compilePolicy, for a text that does not parse
 */
export function endsTls(source: string | object, { protocol }: Pick<CompileOptions, 'protocol'>): boolean {
  if (protocol !== 'tls' || source === '') return false;
  const rules = parsePolicyDocument(source, { protocol }).phases.on_tcp_connect;
  return rules.some(({ actions }) => actions.some(({ type }) => type === 'terminate-tls'));
}
