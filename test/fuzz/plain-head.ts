/**
 * A head as a plain value, its keys in one order, so that texts can be compared: what a parser makes reads its fields only
 * when it is asked for them.
 */
export function plainHead<H extends { readonly fields: unknown }>(head: H): H {
  const { lines: _text, ...own } = { ...head, fields: head.fields } as H & { readonly lines?: unknown };
  const entries = Object.entries(own).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries) as unknown as H;
}
