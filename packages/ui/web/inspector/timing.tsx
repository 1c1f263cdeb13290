import type { ExchangeDetail } from '@postern/inspector/shapes';
import type { ReactNode } from 'react';
import { bytes, duration } from '../shared/format.ts';

/** Where the time went, as the agent saw it. */
export function Timing({ detail }: { readonly detail: ExchangeDetail }): ReactNode {
  const { requestEnd, firstByte } = detail.timing;
  const end = detail.timing.end < 0 ? detail.duration : detail.timing.end;
  const sent = requestEnd < 0 ? end : requestEnd;
  const answered = firstByte < 0 ? end : Math.max(sent, firstByte);
  const parts = [
    { name: 'Request sent', className: 'sending', from: 0, to: sent },
    { name: 'Waiting for the answer', className: 'waiting', from: sent, to: answered },
    { name: 'Answer received', className: 'receiving', from: answered, to: Math.max(answered, end) },
  ];
  const whole = Math.max(end, 0.001);
  return (
    <>
      <div className="bar">
        <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
          {parts.map(({ name, className, from, to }) => (
            <rect
              key={name}
              className={className}
              x={(from / whole) * 100}
              y="0"
              width={((to - from) / whole) * 100}
              height="10"
            />
          ))}
        </svg>
      </div>
      <table aria-label="Timing">
        <tbody>
          {parts.map(({ name, from, to }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td className="number">{duration(to - from)}</td>
            </tr>
          ))}
          <tr>
            <th scope="row">In all</th>
            <td className="number">{duration(end)}</td>
          </tr>
          <tr>
            <th scope="row">Bytes of the request</th>
            <td className="number">{bytes(detail.request.body.wireBytes)}</td>
          </tr>
          <tr>
            <th scope="row">Bytes of the answer</th>
            <td className="number">{bytes(detail.bytes)}</td>
          </tr>
        </tbody>
      </table>
    </>
  );
}
