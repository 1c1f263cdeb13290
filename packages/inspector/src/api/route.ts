import type { Call } from './answer.ts';

export type Handler = (call: Call) => void | Promise<void>;

/** A path; parts that begin with a colon vary, and a last `*` is any rest. */
export interface Route {
  readonly path: string;
  readonly GET?: Handler;
  readonly POST?: Handler;
  readonly DELETE?: Handler;
  /** Links of other pages may lead here. */
  readonly page?: boolean;
}

export interface Match {
  readonly route: Route;
  readonly params: readonly string[];
}

/** Finds routes by comparing their parts. */
export class Router {
  readonly #routes: readonly { readonly route: Route; readonly parts: readonly string[] }[];

  constructor(routes: readonly Route[]) {
    this.#routes = routes.map((route) => ({ route, parts: route.path.split('/') }));
  }

  /** @param path as it was sent, without query; null = there is no such place */
  find(path: string): Match | null {
    // A name may hold an encoded slash, so parts are decoded one by one.
    const given = path.split('/');
    for (const { route, parts } of this.#routes) {
      const params = paramsOf(parts, given);
      if (params !== null) return { route, params };
    }
    return null;
  }
}

function paramsOf(parts: readonly string[], given: readonly string[]): readonly string[] | null {
  const params: string[] = [];
  for (const [at, part] of parts.entries()) {
    const value = given[at];
    if (value === undefined) return null;
    if (part === '*') return [...params, given.slice(at).join('/')];
    if (part.startsWith(':')) {
      const decoded = decodePart(value);
      if (decoded === null || decoded === '') return null;
      params.push(decoded);
    } else if (part !== value) return null;
  }
  return given.length === parts.length ? params : null;
}

function decodePart(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
