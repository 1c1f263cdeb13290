/**
 * The checks that need no expression compiler, for editors in a browser: the document's shape, every action's place and
 * the fields of its config. What the server checks besides: expressions, certificates, targets.
 */
import { builtAction, DOCUMENT_PHASES } from './action-table.ts';
import { parsePolicyDocument, type DocumentOptions, type PolicyDocument } from './document.ts';
import { readConfig } from './problems.ts';

/** @throws PosternError 22xx, 90025, 90031: the first problem, its path first in the message. */
export function checkDocument(source: string | object, options: DocumentOptions): PolicyDocument {
  const document = parsePolicyDocument(source, options);
  for (const phase of DOCUMENT_PHASES) {
    for (const rule of document.phases[phase]) {
      for (const action of rule.actions) {
        const schema = builtAction(action.type)?.config(phase);
        if (schema !== undefined) readConfig(schema, action.config, `${action.path}.config`);
      }
    }
  }
  return document;
}
