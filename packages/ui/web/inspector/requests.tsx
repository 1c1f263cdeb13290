import type { ExchangeList, ExchangeSummary, StatusView } from '@postern/inspector/shapes';
import { type KeyboardEvent, type ReactNode, useDeferredValue, useEffect, useRef, useState } from 'react';
import { useLoaded } from '../shared/api.ts';
import { bytes, duration, moment } from '../shared/format.ts';
import { follow, go } from '../shared/location.ts';
import { Dialog } from '../shared/parts.tsx';
import { clearAll, listPath, queryOf, type Versions } from './client.ts';
import { Detail } from './detail.tsx';
import { StatusWord } from './status-word.tsx';

const STEP = 200;
const MOST = 1_000;

interface RequestsProps {
  readonly versions: Versions;
  readonly selected: string;
  readonly tunnels: StatusView['tunnels'];
}

/** The list, what is searched for, and the one that is chosen. */
export function Requests({ versions, selected, tunnels }: RequestsProps): ReactNode {
  const [filter, setFilter] = useState('');
  const [limit, setLimit] = useState(STEP);
  const [help, setHelp] = useState(false);
  const search = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const { value, problem } = useLoaded<ExchangeList>(listPath(useDeferredValue(filter), limit), versions.list);
  // Between two searches the old list stays, so that nothing flickers.
  const [shown, setShown] = useState<ExchangeList | undefined>(undefined);
  useEffect(() => {
    if (value !== undefined) setShown(value);
  }, [value]);
  const exchanges = shown?.exchanges ?? [];

  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent): void => {
      const typing =
        event.target instanceof HTMLElement && event.target.closest('input, textarea, select, dialog') !== null;
      if (typing || event.metaKey || event.ctrlKey || event.altKey) return;
      if (event.key === '/') {
        event.preventDefault();
        search.current?.focus();
      } else if (event.key === '?') setHelp(true);
      else if (event.key === 'j' || event.key === 'k') step(list.current, event.key === 'j' ? 1 : -1);
      else if (event.key === 'Escape' && selected !== '') {
        go('/inspect/http');
        focusOn(list.current, selected);
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [selected]);

  const onSearchKey = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'Enter') {
      event.preventDefault();
      list.current?.querySelector('a')?.focus();
    } else if (event.key === 'Escape') setFilter('');
  };
  return (
    <main className={selected === '' ? 'requests' : 'requests chosen'}>
      <search className="search">
        <input
          ref={search}
          type="search"
          aria-label="Search in requests"
          placeholder="Search everything, or status:5xx method:POST path:/hook header:… slow:500"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
          onKeyDown={onSearchKey}
        />
        <button type="button" onClick={() => setHelp(true)}>
          Keys and filters
        </button>
        <a className="button" href={`/api/inspect/har?${queryOf(filter)}`} download="postern.har">
          Export HAR
        </a>
        <button type="button" onClick={() => void clearAll().then(() => go('/inspect/http'))}>
          Clear requests
        </button>
      </search>
      <div className="list" ref={list} onKeyDown={(event) => onListKey(event, list.current)}>
        {problem !== '' && <p className="problem">{problem}</p>}
        {shown !== undefined && exchanges.length === 0 && <Nothing filter={filter} tunnels={tunnels} />}
        <ul aria-label="Requests, newest first">
          {exchanges.map((exchange) => (
            <Row key={exchange.id} exchange={exchange} chosen={exchange.id === selected} />
          ))}
        </ul>
        {shown?.more === true && limit < MOST && (
          <p className="empty">
            <button type="button" onClick={() => setLimit(Math.min(MOST, limit + STEP))}>
              Show older ones
            </button>
          </p>
        )}
      </div>
      <section className="detail" aria-label="Request">
        {selected === '' ? (
          <p className="soft">Choose a request to see what was in it.</p>
        ) : (
          <Detail key={selected} id={selected} versions={versions} tunnels={tunnels} />
        )}
      </section>
      {help && <Help onClose={() => setHelp(false)} />}
    </main>
  );
}

function Row({ exchange, chosen }: { readonly exchange: ExchangeSummary; readonly chosen: boolean }): ReactNode {
  const { id, method, path, status, outcome, start, bytes: size, streams, messages, replayOf } = exchange;
  const notes = [
    moment(start),
    duration(exchange.duration),
    bytes(size),
    ...(streams === '' ? [] : [`${messages} ${streams === 'websocket' ? 'frames' : streams}`]),
    ...(replayOf === '' ? [] : ['replay']),
  ];
  return (
    <li>
      <a href={`/inspect/http/${id}`} data-id={id} aria-current={chosen ? 'true' : undefined} onClick={follow}>
        <span className="method">{method}</span>
        <span className="path">{path}</span>
        <StatusWord status={status} outcome={outcome} />
        <span className="under">{notes.join(' · ')}</span>
      </a>
    </li>
  );
}

function Nothing({ filter, tunnels }: { readonly filter: string; readonly tunnels: StatusView['tunnels'] }): ReactNode {
  if (filter.trim() !== '') return <p className="empty">Nothing fits “{filter}”.</p>;
  return (
    <div className="empty">
      <p>No request has come yet. Visit</p>
      <ul>
        {tunnels.map(({ name, url }) => (
          <li key={name}>
            <a href={url} target="_blank" rel="noreferrer">
              {url}
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

function onListKey(event: KeyboardEvent, list: HTMLElement | null): void {
  const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
  const by = steps[event.key];
  if (by === undefined) return;
  event.preventDefault();
  step(list, by);
}

/** The focus goes down or up the list, and what it is on is shown. */
function step(list: HTMLElement | null, by: number): void {
  const links = [...(list?.querySelectorAll('a[data-id]') ?? [])].filter((each) => each instanceof HTMLAnchorElement);
  const focused = links.findIndex((link) => link === document.activeElement);
  const from = focused >= 0 ? focused : links.findIndex((link) => link.ariaCurrent === 'true');
  const next = links[Math.min(links.length - 1, Math.max(0, from < 0 ? 0 : from + by))];
  if (next === undefined) return;
  next.focus();
  go(next.pathname, true);
}

function focusOn(list: HTMLElement | null, id: string): void {
  requestAnimationFrame(() => list?.querySelector<HTMLElement>(`[data-id="${id}"]`)?.focus());
}

const KEYS: readonly (readonly [string, string])[] = [
  ['/', 'search'],
  ['j, k, arrows', 'next, previous request'],
  ['Enter', 'open the one that has the focus'],
  ['r', 'replay it'],
  ['e', 'edit and replay it'],
  ['c', 'copy it as a command of curl'],
  ['Escape', 'back to the list'],
  ['?', 'this page'],
];
const FILTERS: readonly (readonly [string, string])[] = [
  ['status:404  status:5xx  status:>=400', 'of the answer'],
  ['method:POST', ''],
  ['path:/hook', 'part of path and query'],
  ['header:json', 'part of the value of any header'],
  ['type:html', 'part of the content type of the answer'],
  ['slow:500', 'took this many milliseconds, or more'],
  ['larger:10000', 'answer of this many bytes, or more'],
  ['tunnel:NAME', ''],
];

function Help({ onClose }: { readonly onClose: () => void }): ReactNode {
  return (
    <Dialog title="Keys and filters" onClose={onClose}>
      <div className="keys">
        <table aria-label="Keys">
          <tbody>
            {KEYS.map(([key, what]) => (
              <tr key={key}>
                <th scope="row">
                  <kbd>{key}</kbd>
                </th>
                <td>{what}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <p>Anything else that is typed is searched for everywhere: headers, bodies, frames, events. All must hold.</p>
        <table aria-label="Filters">
          <tbody>
            {FILTERS.map(([words, what]) => (
              <tr key={words}>
                <th scope="row">
                  <code>{words}</code>
                </th>
                <td>{what}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Dialog>
  );
}
