import type { ExchangeSummary } from '@postern/inspector/shapes';
import type { ReactNode } from 'react';

/** The status, or what stands for it; never by colour alone. */
export function StatusWord({ status, outcome }: Pick<ExchangeSummary, 'status' | 'outcome'>): ReactNode {
  const words = [
    status === 0 ? (outcome === 'open' ? 'waiting' : '') : String(status),
    outcome === 'cut' ? 'cut off' : outcome === 'unreadable' ? 'not readable' : '',
  ].filter((word) => word !== '');
  const kind = outcome === 'cut' || outcome === 'unreadable' ? 'x' : Math.floor(status / 100);
  return <span className={`status s${kind}`}>{words.join(' ')}</span>;
}
