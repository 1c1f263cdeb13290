import { useEffect, useState } from 'react';

/** What an API of ours says went wrong. */
export class Problem extends Error {}

/** @throws Problem with the words of the server */
export async function send(path: string, options: RequestInit = {}): Promise<Response> {
  const response = await fetch(path, options).catch(() => {
    throw new Problem('The agent does not answer. Is it still running?');
  });
  if (!response.ok) throw new Problem(await wordsOf(response));
  return response;
}

/** What the server answers as JSON; it is a server of ours, so its shape is taken as said. */
export async function call<T>(path: string, options: RequestInit = {}): Promise<T> {
  return (await send(path, options)).json();
}

export function post<T>(path: string, body: unknown): Promise<T> {
  return call<T>(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function wordsOf(response: Response): Promise<string> {
  try {
    const said: { msg?: string; details?: { err?: string } } = await response.json();
    return said.details?.err ?? said.msg ?? response.statusText;
  } catch {
    return `${response.status} ${response.statusText}`;
  }
}

export interface Loaded<T> {
  /** The newest that came; stays while the next is on its way. */
  readonly value: T | undefined;
  readonly problem: string;
}

/** What is at `path`, asked again whenever `version` changes; '' = nothing is asked. */
export function useLoaded<T>(path: string, version: unknown): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T> & { readonly path: string }>({ value: undefined, problem: '', path });
  useEffect(() => {
    if (path === '') return undefined;
    const stop = new AbortController();
    call<T>(path, { signal: stop.signal }).then(
      (value) => stop.signal.aborted || setLoaded({ value, problem: '', path }),
      (error: unknown) =>
        stop.signal.aborted ||
        setLoaded({ value: undefined, problem: error instanceof Error ? error.message : String(error), path }),
    );
    return () => stop.abort();
  }, [path, version]);
  return loaded.path === path ? loaded : { value: undefined, problem: '' };
}
