import type { ExchangeDetail, StatusView } from '@postern/inspector/shapes';
import { type FormEvent, type ReactNode, useState } from 'react';
import { go } from '../shared/location.ts';
import { Dialog, Field } from '../shared/parts.tsx';
import { replay } from './client.ts';

/** What is set anew when a request is sent, so that nobody edits it in vain. */
const SET_ANEW = /^(?:connection|content-length|transfer-encoding|expect|keep-alive|upgrade)$/i;

interface ReplayFormProps {
  readonly detail: ExchangeDetail;
  readonly tunnels: StatusView['tunnels'];
  readonly onClose: () => void;
}

/** A request, to be changed and sent again. */
export function ReplayForm({ detail, tunnels, onClose }: ReplayFormProps): ReactNode {
  const { line, fields, body } = detail.request;
  const [method, setMethod] = useState(line[0]);
  const [path, setPath] = useState(line[1]);
  const [tunnel, setTunnel] = useState(detail.tunnel);
  const [headers, setHeaders] = useState(
    fields
      .filter(([name]) => !SET_ANEW.test(name))
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n'),
  );
  const [text, setText] = useState(body.text ?? '');
  const [edited, setEdited] = useState(false);
  const [problem, setProblem] = useState('');
  const binary = body.text === undefined && body.size > 0;
  const send = (event: FormEvent): void => {
    event.preventDefault();
    // A body that nobody touched goes as its bytes were.
    const changed = edited ? { body: text } : {};
    const pairs = pairsOf(headers).filter(([name]) => !edited || name.toLowerCase() !== 'content-encoding');
    const sent = replay(detail.id, { method, path, tunnel_name: tunnel, headers: pairs, ...changed });
    const show = async (): Promise<void> => {
      const id = await sent;
      onClose();
      go(`/inspect/http/${id}`);
    };
    show().catch((error: unknown) => setProblem(error instanceof Error ? error.message : String(error)));
  };
  return (
    <Dialog title="Edit and replay" onClose={onClose}>
      <form className="form" onSubmit={send}>
        <div className="line">
          <Field label="Method">
            {(id) => (
              <input
                id={id}
                className="mono"
                value={method}
                onChange={(event) => setMethod(event.target.value)}
                required
              />
            )}
          </Field>
          <Field label="Path and query">
            {(id) => (
              <input id={id} className="mono" value={path} onChange={(event) => setPath(event.target.value)} required />
            )}
          </Field>
        </div>
        {tunnels.length > 1 && (
          <Field label="Tunnel">
            {(id) => (
              <select id={id} value={tunnel} onChange={(event) => setTunnel(event.target.value)}>
                {tunnels.map(({ name }) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            )}
          </Field>
        )}
        <Field label="Headers, one a line">
          {(id) => (
            <textarea
              id={id}
              rows={8}
              spellCheck={false}
              value={headers}
              onChange={(event) => setHeaders(event.target.value)}
            />
          )}
        </Field>
        <Field label={binary ? 'Body (binary; what is typed here goes instead of it)' : 'Body'}>
          {(id) => (
            <textarea
              id={id}
              rows={9}
              spellCheck={false}
              value={text}
              onChange={(event) => {
                setText(event.target.value);
                setEdited(true);
              }}
            />
          )}
        </Field>
        {problem !== '' && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <div className="actions">
          <button type="submit" className="primary">
            Send
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function pairsOf(text: string): readonly (readonly [string, string])[] {
  return text.split('\n').flatMap((line): [string, string][] => {
    if (line.trim() === '') return [];
    const colon = line.indexOf(':');
    // Without a colon it is no header: the agent says so.
    return colon < 0 ? [[line, '']] : [[line.slice(0, colon).trim(), line.slice(colon + 1).trim()]];
  });
}
