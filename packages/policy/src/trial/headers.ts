import type { HeaderView } from '../runtime.ts';

export type HeaderLines = readonly (readonly [string, string])[];

/** Headers as plain lines, in order. */
export class HeaderList implements HeaderView {
  #lines: (readonly [string, string])[];

  constructor(lines: HeaderLines) {
    this.#lines = [...lines];
  }

  get size(): number {
    return this.#lines.length;
  }

  get(name: string): string | undefined {
    return this.getAll(name)[0];
  }

  getAll(name: string): string[] {
    return this.#lines.filter(([key]) => same(key, name)).map(([, value]) => value);
  }

  has(name: string): boolean {
    return this.#lines.some(([key]) => same(key, name));
  }

  append(name: string, value: string): void {
    this.#lines.push([name, value]);
  }

  set(name: string, value: string): void {
    this.delete(name);
    this.append(name, value);
  }

  delete(name: string): boolean {
    const before = this.#lines.length;
    this.#lines = this.#lines.filter(([key]) => !same(key, name));
    return this.#lines.length < before;
  }

  entries(): HeaderLines {
    return this.#lines;
  }
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
