/** Paths in their shortest form: without empty segments, and without those that lead back. */

export function normalizePath(text: string): string {
  if (text === '') return text;
  const absolute = text.startsWith('/');
  const segments = text.split('/');
  const last = segments.at(-1) ?? '';
  const folder = last === '' || last === '.' || last === '..';
  const kept: string[] = [];
  for (const segment of segments) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') kept.push(segment);
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else if (!absolute) kept.push(segment);
  }
  const path = kept.join('/');
  return `${absolute ? '/' : ''}${path}${folder && path !== '' && last !== '..' ? '/' : ''}`;
}

export function normalizePathWin(text: string): string {
  return normalizePath(text.replaceAll('\\', '/'));
}
