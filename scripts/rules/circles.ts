/** No module leads back to itself over imports, not even by types: who reads one would have to read all. */
import path from 'node:path';
import { importsOf, isCode, isTest, type Sources } from './sources.ts';

export function circleProblems(sources: Sources): readonly string[] {
  return circles(graphOf(sources)).map((circle) => `a circle of imports: ${circle.join(' → ')}`);
}

function graphOf(sources: Sources): ReadonlyMap<string, readonly string[]> {
  const graph = new Map<string, readonly string[]>();
  for (const [file, text] of sources) {
    if (!isCode(file) || (isTest(file) && !file.includes('/src/'))) continue;
    const targets = importsOf(text)
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(({ specifier }) => path.posix.join(path.posix.dirname(file), specifier));
    graph.set(
      file,
      targets.filter((target) => sources.has(target)),
    );
  }
  return graph;
}

/** Strongly connected components of more than one module (Tarjan 1972), and modules that import themselves. */
function circles(graph: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const found: string[][] = [];
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const visit = (node: string): number => {
    const number = order.size;
    order.set(node, number);
    let least = number;
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) least = Math.min(least, visit(next));
      else if (stack.includes(next)) least = Math.min(least, order.get(next) ?? least);
    }
    low.set(node, least);
    if (least !== number) return least;
    const circle = stack.splice(stack.indexOf(node));
    if (circle.length > 1 || graph.get(node)?.includes(node) === true) found.push(circle);
    return least;
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return found;
}
