/** Takes out what is over from the oldest on; where that is not enough, the oldest. */
export function makeRoom<T>(map: Map<string, T>, most: number, isOver: (value: T) => boolean): void {
  for (const [key, value] of map) {
    if (!isOver(value) && map.size < most) return;
    map.delete(key);
  }
}
