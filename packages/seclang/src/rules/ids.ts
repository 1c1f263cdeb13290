import { Mistake } from '../syntax/problem.ts';

/** `942100`, `942100-942190`, several of them. @throws Mistake */
export function idsOf(text: string): (id: number) => boolean {
  const ranges = text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map((part) => {
      const [from, to] = part.split('-').map(Number);
      if (from === undefined || Number.isNaN(from) || Number.isNaN(to ?? from))
        throw new Mistake(`"${part}" is no id of rules`);
      return [from, to ?? from] as const;
    });
  return (id) => ranges.some(([from, to]) => id >= from && id <= to);
}
