/**
 * Class members that nobody asks for. The dead-code tool sees exports; this looks, by text, for a use of the name
 * anywhere: after a dot, in a destructuring, as a text. What only an interface asks for counts by the interface's callers.
 */
import { isCode, isTest, type Sources } from './sources.ts';

const MEMBER =
  /^ {2}(?:(?:readonly|static|async|override|get|set|public|declare) )*\*?([a-z]\w*)(?:[?!]?:|\(| = |<|;)/gm;
/** What classes say that no code of ours calls. */
const OF_THE_LANGUAGE = new Set([
  'constructor',
  'name',
  'message',
  'toString',
  'toJSON',
  'then',
  'return',
  'next',
  'throw',
]);

export function memberProblems(sources: Sources): readonly string[] {
  const code = [...sources].filter(([file]) => isCode(file));
  const uses = new Set<string>();
  for (const [, text] of code) {
    for (const [, name = ''] of text.matchAll(/[.]([a-z]\w*)/g)) uses.add(name);
    for (const [, name = ''] of text.matchAll(/['"`]([a-z]\w*)['"`]/g)) uses.add(name);
    for (const [, names = ''] of text.matchAll(/\{([^{}]*)\}\s*(?:=|:|\))/g))
      for (const [name] of names.matchAll(/[a-z]\w*/g)) uses.add(name);
  }
  const problems: string[] = [];
  for (const [file, text] of code) {
    if (!file.startsWith('packages/') || isTest(file)) continue;
    for (const { body, at } of classes(text)) {
      for (const match of body.matchAll(MEMBER)) {
        const name = match[1] ?? '';
        if (uses.has(name) || OF_THE_LANGUAGE.has(name)) continue;
        const line = text.slice(0, at + match.index).split('\n').length;
        problems.push(`${file}:${line}: nobody uses the member ${name}`);
      }
    }
  }
  return problems;
}

/** As the formatter writes them: a class at the beginning of a line ends with a brace there. */
function classes(text: string): readonly { readonly body: string; readonly at: number }[] {
  return [...text.matchAll(/^(?:export )?(?:abstract )?class [^\n]*\{\n([\s\S]*?)^\}/gm)].map((match) => ({
    body: match[1] ?? '',
    at: match.index + match[0].indexOf('\n') + 1,
  }));
}
