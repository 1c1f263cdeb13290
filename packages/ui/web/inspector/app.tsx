import type { StatusView } from '@postern/inspector/shapes';
import { type ReactNode, useEffect, useState } from 'react';
import { useLoaded } from '../shared/api.ts';
import { follow, usePath } from '../shared/location.ts';
import { useNews } from './client.ts';
import { Requests } from './requests.tsx';
import { Status } from './status.tsx';

/** The status changes without news (rates, latency). */
const STATUS_MS = 2_000;

export function Inspector(): ReactNode {
  const path = usePath();
  const versions = useNews();
  const [tick, setTick] = useState(0);
  const status = useLoaded<StatusView>('/api/inspect/status', tick);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || setTick((before) => before + 1), STATUS_MS);
    return () => clearInterval(timer);
  }, []);
  const onStatus = path === '/status';
  useEffect(() => {
    document.title = onStatus ? 'Status · Postern inspector' : 'Requests · Postern inspector';
  }, [onStatus]);
  const selected = /^\/inspect\/http\/([0-9a-f]{16})$/.exec(path)?.[1] ?? '';
  return (
    <div className="frame">
      <header className="top">
        <span className="name">Postern</span>
        <nav aria-label="Pages">
          <a href="/inspect/http" aria-current={onStatus ? undefined : 'page'} onClick={follow}>
            Requests
          </a>
          <a href="/status" aria-current={onStatus ? 'page' : undefined} onClick={follow}>
            Status
          </a>
        </nav>
        <span className="state soft" role="status">
          {versions.connected ? (status.value?.session ?? '') : 'the agent does not answer'}
        </span>
      </header>
      {onStatus ? (
        <Status status={status} />
      ) : (
        <Requests versions={versions} selected={selected} tunnels={status.value?.tunnels ?? []} />
      )}
    </div>
  );
}
