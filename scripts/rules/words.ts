/** Schemes and bindings are declared in one place; whoever lists all of them again will miss the next one. */
import { isCode, isTest, type Sources } from './sources.ts';

const LISTS =
  /'(?:http|https|tls|tcp)'(?:\s*[|,]\s*'(?:http|https|tls|tcp)'){3}|'(?:public|internal|kubernetes)'(?:\s*[|,]\s*'(?:public|internal|kubernetes)'){2}/g;
/** The declaration, and the words of the wire, which is below it. */
const DECLARED = new Set(['packages/link/src/model.ts', 'packages/protocol/src/rpc/types.ts']);

export function wordProblems(sources: Sources): readonly string[] {
  return [...sources].flatMap(([file, text]) => {
    if (!file.startsWith('packages/') || !isCode(file) || isTest(file) || DECLARED.has(file)) return [];
    return Array.from(text.matchAll(LISTS), ({ index }) => {
      const line = text.slice(0, index).split('\n').length;
      return `${file}:${line}: schemes and bindings are declared in packages/link/src/model.ts; use those`;
    });
  });
}
