import type { ExchangeDetail, SideView, StatusView } from '@postern/inspector/shapes';
import { type ReactNode, useEffect, useState } from 'react';
import { useLoaded } from '../shared/api.ts';
import { bytes, duration, moment } from '../shared/format.ts';
import { follow, go } from '../shared/location.ts';
import { Body, Code, PairTable, type Tab, Tabs } from '../shared/parts.tsx';
import { curlOf, replay, versionOf, type Versions } from './client.ts';
import { Messages } from './messages.tsx';
import { ReplayForm } from './replay-form.tsx';
import { StatusWord } from './status-word.tsx';
import { Timing } from './timing.tsx';

const STREAMS = { websocket: 'Frames', events: 'Events', messages: 'Messages', '': '' } as const;

interface DetailProps {
  readonly id: string;
  readonly versions: Versions;
  readonly tunnels: StatusView['tunnels'];
}

/** One exchange: what can be done with it, and everything that was in it. */
export function Detail({ id, versions, tunnels }: DetailProps): ReactNode {
  const version = versionOf(versions, id);
  const { value, problem } = useLoaded<ExchangeDetail>(`/api/inspect/exchanges/${id}`, version);
  const [editing, setEditing] = useState(false);
  const [said, setSaid] = useState('');
  const act = (doing: Promise<string>): void => {
    doing.then(setSaid, (error: unknown) => setSaid(error instanceof Error ? error.message : String(error)));
  };
  const again = async (): Promise<string> => {
    go(`/inspect/http/${await replay(id, {})}`);
    return '';
  };
  const copy = async (): Promise<string> => {
    await navigator.clipboard.writeText(await curlOf(id));
    return 'Copied as a command of curl.';
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const typing =
        event.target instanceof HTMLElement && event.target.closest('input, textarea, select, dialog') !== null;
      if (typing || event.metaKey || event.ctrlKey || event.altKey) return;
      if (event.key === 'r') act(again());
      else if (event.key === 'c') act(copy());
      else if (event.key === 'e') {
        event.preventDefault();
        setEditing(true);
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });
  if (problem !== '') return <p className="problem">{problem}</p>;
  if (value === undefined) return <p className="soft">Loading …</p>;
  const [method, target] = value.request.line;
  return (
    <>
      <a className="button back" href="/inspect/http" onClick={follow}>
        ‹ All requests
      </a>
      <h1>
        {method} {target} <StatusWord status={value.status} outcome={value.outcome} />
      </h1>
      <div className="facts">
        <span>{moment(value.start)}</span>
        <span>{duration(value.duration)}</span>
        <span>from {value.client}</span>
        <span>through {value.tunnel}</span>
        {value.replayOf !== '' && (
          <span>
            replay of{' '}
            <a href={`/inspect/http/${value.replayOf}`} onClick={follow}>
              another request
            </a>
          </span>
        )}
      </div>
      <div className="actions">
        <button type="button" className="primary" onClick={() => act(again())}>
          Replay
        </button>
        <button type="button" onClick={() => setEditing(true)}>
          Edit and replay
        </button>
        <button type="button" onClick={() => act(copy())}>
          Copy as curl
        </button>
        <a className="button" href={`/api/inspect/exchanges/${id}/har`} download={`postern-${id}.har`}>
          Export this as HAR
        </a>
      </div>
      <p role="status">{said}</p>
      {value.outcome === 'unreadable' && (
        <p className="problem">
          This connection does not carry HTTP/1.1{method === 'PRI' ? ' but HTTP/2' : ''}: only its bytes are shown.
        </p>
      )}
      <Tabs
        label="Parts of the exchange"
        tabs={tabsOf(value, version)}
        {...(value.streams === '' ? {} : { first: 'messages' })}
      />
      {editing && <ReplayForm detail={value} tunnels={tunnels} onClose={() => setEditing(false)} />}
    </>
  );
}

function tabsOf(value: ExchangeDetail, version: number): readonly Tab[] {
  const messages: Tab = {
    id: 'messages',
    title: `${STREAMS[value.streams]} (${value.messages})`,
    body: () => <Messages id={value.id} version={version} />,
  };
  return [
    ...(value.streams === '' ? [] : [messages]),
    { id: 'request', title: 'Request', body: () => <Side name="request" side={value.request} /> },
    {
      id: 'response',
      title: 'Response',
      body: () =>
        value.response === null ? (
          <p className="soft">{value.outcome === 'open' ? 'No answer has come yet.' : 'No answer came.'}</p>
        ) : (
          <Side name="response" side={value.response} />
        ),
    },
    { id: 'timing', title: 'Timing', body: () => <Timing detail={value} /> },
    { id: 'raw', title: 'Raw', body: () => <Raw value={value} /> },
  ];
}

function Side({ name, side }: { readonly name: 'request' | 'response'; readonly side: SideView }): ReactNode {
  const { line, fields, body } = side;
  const question = line[1].indexOf('?');
  const query = name === 'request' && question >= 0 ? [...new URLSearchParams(line[1].slice(question + 1))] : [];
  return (
    <>
      <p className="mono">{line.join(' ')}</p>
      {query.length > 0 && (
        <>
          <h2>Query</h2>
          <PairTable label={`Query of the ${name}`} pairs={query} />
        </>
      )}
      <h2>Headers</h2>
      <PairTable label={`Headers of the ${name}`} pairs={fields} />
      <h2>
        Body <span className="soft">{bytes(body.size)}</span>
      </h2>
      {body.truncated && (
        <p className="problem">Only the first part was kept: {bytes(body.wireBytes)} passed, head included.</p>
      )}
      {body.problem !== undefined && <p className="problem">Shown as it was sent: {body.problem}.</p>}
      {body.size === 0 ? <p className="soft">None.</p> : <Body label={`Body of the ${name}`} body={body} />}
    </>
  );
}

function Raw({ value }: { readonly value: ExchangeDetail }): ReactNode {
  return (
    <>
      <h2>Request</h2>
      <Code label="Bytes of the request">{value.request.raw}</Code>
      <h2>Response</h2>
      <Code label="Bytes of the response">{value.response?.raw ?? ''}</Code>
    </>
  );
}
