/** The local API, as the pages use it. */
import type { News, ReplayEdits } from '@postern/inspector/shapes';
import { useEffect, useRef, useState } from 'react';
import { post, send } from '../shared/api.ts';

/** Times that something of a kind was new. */
export interface Versions {
  readonly list: number;
  /** By id of what changed last. */
  readonly exchanges: ReadonlyMap<string, number>;
  /** When everything may have changed. */
  readonly all: number;
  readonly connected: boolean;
}

/** News as they come. A list is asked for again four times a second at most, however much passes. */
export function useNews(): Versions {
  const [versions, setVersions] = useState<Versions>({ list: 0, exchanges: new Map(), all: 0, connected: true });
  const pending = useRef<{ all: boolean; ids: Set<string> }>({ all: false, ids: new Set() });
  useEffect(() => {
    let timer = 0;
    const flush = (): void => {
      timer = 0;
      const { all, ids } = pending.current;
      pending.current = { all: false, ids: new Set() };
      setVersions((before) => {
        const list = before.list + 1;
        const kept = [...before.exchanges].slice(-500);
        const exchanges = new Map([...kept, ...Array.from(ids, (id) => [id, list] as const)]);
        return { connected: true, list, exchanges, all: all ? list : before.all };
      });
    };
    const gather = (all: boolean, ids: readonly string[]): void => {
      if (all) pending.current.all = true;
      for (const id of ids) pending.current.ids.add(id);
      timer ||= window.setTimeout(flush, 250);
    };
    const source = new EventSource('/api/inspect/news');
    source.addEventListener('message', (event: MessageEvent<string>) => {
      const news: News = JSON.parse(event.data);
      gather(news.changed === null, [...(news.changed ?? []), ...news.messages]);
    });
    // Whatever happened meanwhile is not told.
    source.addEventListener('open', () => gather(true, []));
    source.addEventListener('error', () => setVersions((before) => ({ ...before, connected: false })));
    return () => {
      source.close();
      clearTimeout(timer);
    };
  }, []);
  return versions;
}

/** Words of the search field that are more than text: `status:5xx`. */
const WORDS: Readonly<Record<string, string>> = {
  status: 'status',
  method: 'method',
  path: 'path',
  header: 'header',
  type: 'type',
  slow: 'min_duration',
  larger: 'min_size',
  tunnel: 'tunnel_name',
};

/** `status:5xx method:POST order 17` as the query of the API. */
export function queryOf(text: string): string {
  const query = new URLSearchParams();
  const words: string[] = [];
  for (const word of text.trim().split(/\s+/)) {
    const colon = word.indexOf(':');
    const name = WORDS[word.slice(0, Math.max(0, colon)).toLowerCase()];
    const value = word.slice(colon + 1);
    if (name === undefined || value === '') words.push(word);
    else query.set(name, value);
  }
  const rest = words.join(' ');
  if (rest !== '') query.set('q', rest);
  return query.toString();
}

export function listPath(filter: string, limit: number): string {
  const query = queryOf(filter);
  return `/api/inspect/exchanges?limit=${limit}${query === '' ? '' : `&${query}`}`;
}

export async function replay(id: string, edits: ReplayEdits): Promise<string> {
  const made = await post<{ readonly id: string }>(`/api/requests/http/${id}/replay`, edits);
  return made.id;
}

export async function clearAll(): Promise<void> {
  await send('/api/requests/http', { method: 'DELETE' });
}

export async function curlOf(id: string): Promise<string> {
  return (await send(`/api/inspect/exchanges/${id}/curl`)).text();
}

/** Changes when there is something new about this one. */
export function versionOf(versions: Versions, id: string): number {
  return Math.max(versions.exchanges.get(id) ?? 0, versions.all);
}
