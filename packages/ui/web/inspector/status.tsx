import type { StatusView } from '@postern/inspector/shapes';
import type { ReactNode } from 'react';
import type { Loaded } from '../shared/api.ts';
import { duration } from '../shared/format.ts';
import { PairTable } from '../shared/parts.tsx';

type Metrics = StatusView['all'];
const NANOSECONDS = 1_000_000;

/** The session, its tunnels, and how much passes them. */
export function Status({ status: { value, problem } }: { readonly status: Loaded<StatusView> }): ReactNode {
  return (
    <main className="statuspage">
      <h1>Status</h1>
      {problem !== '' && <p className="problem">{problem}</p>}
      {value !== undefined && (
        <>
          <PairTable
            label="Session"
            pairs={[
              ['Session', value.session],
              ['Version', value.version],
              ...(value.region === '' ? [] : [['Region', value.region] as const]),
              ['Latency', value.latency === '' ? '–' : value.latency],
              ...value.facts,
              ['Requests are kept', value.recording ? 'yes' : 'no (inspect_db_size: -1)'],
            ]}
          />
          <h2>Tunnels</h2>
          <div className="wide" role="region" aria-label="Tunnels" tabIndex={0}>
            <table>
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col">URL</th>
                  <th scope="col">Service</th>
                  <th scope="col">Kind</th>
                  <th scope="col">Inspected</th>
                </tr>
              </thead>
              <tbody>
                {value.tunnels.map(({ name, url, addr, proto, inspect }) => (
                  <tr key={name}>
                    <th scope="row">{name}</th>
                    <td>{/^https?:/.test(url) ? <a href={url}>{url}</a> : url}</td>
                    <td>{addr}</td>
                    <td>{proto}</td>
                    <td>{inspect ? 'yes' : 'no'}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <MetricsTable title="Connections" of="conns" value={value} />
          <MetricsTable title="HTTP requests" of="http" value={value} />
        </>
      )}
    </main>
  );
}

function MetricsTable({
  title,
  of,
  value,
}: {
  readonly title: string;
  readonly of: 'conns' | 'http';
  readonly value: StatusView;
}): ReactNode {
  const rows: readonly (readonly [string, Metrics])[] = [
    ...value.tunnels.map(({ name, metrics }) => [name, metrics] as const),
    ['All', value.all],
  ];
  const heads = [
    'Total',
    ...(of === 'conns' ? ['Open'] : []),
    '/s 1 min',
    '5 min',
    '15 min',
    '50 %',
    '90 %',
    '95 %',
    '99 %',
  ];
  return (
    <>
      <h2>{title}</h2>
      <div className="wide" role="region" aria-label={title} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Tunnel</th>
              {heads.map((head) => (
                <th key={head} scope="col" className="number">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, metrics]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {cells(metrics, of).map((cell, at) => (
                  <td key={heads[at]} className="number">
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function cells(metrics: Metrics, of: 'conns' | 'http'): readonly string[] {
  const { count, rate1, rate5, rate15, p50, p90, p95, p99 } = metrics[of];
  return [
    String(count),
    ...(of === 'conns' ? [String(metrics.conns.gauge)] : []),
    ...[rate1, rate5, rate15].map((rate) => rate.toFixed(2)),
    ...[p50, p90, p95, p99].map((each) => (count === 0 ? '–' : duration(each / NANOSECONDS))),
  ];
}
