/** Names that were probably meant, for messages. Browser-safe. */

const LONGEST = 64;

/** As in a clause: ` (did you mean startsWith()?)`; '' when nothing is near. */
export function meant(name: string, known: Iterable<string>, behind = ''): string {
  const [best] = nearest(name, known);
  return best === undefined ? '' : ` (did you mean ${best}${behind}?)`;
}

/** The nearest first: the same letters in another spelling, or a few slips away. */
export function nearest(name: string, known: Iterable<string>): string[] {
  if (name.length > LONGEST) return [];
  const wanted = folded(name);
  const most = Math.max(1, Math.floor(wanted.length / 4));
  const found: { readonly name: string; readonly slips: number }[] = [];
  for (const one of known) {
    if (Math.abs(one.length - name.length) > most + 4 || one.length > LONGEST) continue;
    const slips = slipsBetween(wanted, folded(one));
    if (slips <= most) found.push({ name: one, slips });
  }
  return found.toSorted((a, b) => a.slips - b.slips).map((one) => one.name);
}

/** `starts_with`, `StartsWith` and `starts-with` are spellings of one name. */
function folded(name: string): string {
  return name.replaceAll(/[_-]/g, '').toLowerCase();
}

/** Letters put in, left out, or another, and neighbours changed over. */
function slipsBetween(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let slips = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        slips = Math.min(slips, (before[j - 2] ?? 0) + 1);
      next.push(slips);
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
