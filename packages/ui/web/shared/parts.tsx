/** What pages are made of. */
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { bytesOfBase64, hexDump, indentXml, jsonProblem, jsonTokens, kindOf, type Token } from './pretty.ts';

export type Pairs = readonly (readonly [name: string, value: string])[];

export function PairTable({ label, pairs }: { readonly label: string; readonly pairs: Pairs }): ReactNode {
  if (pairs.length === 0) return <p className="soft">None.</p>;
  return (
    <table className="pairs" aria-label={label}>
      <tbody>
        {pairs.map(([name, value], at) => (
          <tr key={`${at} ${name}`}>
            <th scope="row">{name}</th>
            <td>{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export interface Tab {
  readonly id: string;
  readonly title: string;
  readonly body: () => ReactNode;
}

/** Arrows go from one to the next, as in every tab list. */
export function Tabs({
  label,
  tabs,
  first,
}: {
  readonly label: string;
  readonly tabs: readonly Tab[];
  readonly first?: string;
}): ReactNode {
  const [chosen, choose] = useState(first ?? tabs[0]?.id ?? '');
  const prefix = useId();
  const bar = useRef<HTMLDivElement>(null);
  const current = tabs.find(({ id }) => id === chosen) ?? tabs[0];
  if (current === undefined) return null;
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    event.stopPropagation();
    const next = tabs[(tabs.indexOf(current) + step + tabs.length) % tabs.length];
    if (next === undefined) return;
    choose(next.id);
    bar.current?.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus();
  };
  return (
    <>
      <div className="tabs" role="tablist" aria-label={label} ref={bar} onKeyDown={onKeyDown}>
        {tabs.map(({ id, title }) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`${prefix}-${id}`}
            data-tab={id}
            aria-selected={id === current.id}
            aria-controls={`${prefix}-panel`}
            tabIndex={id === current.id ? 0 : -1}
            onClick={() => choose(id)}
          >
            {title}
          </button>
        ))}
      </div>
      <div role="tabpanel" className="panel" id={`${prefix}-panel`} aria-labelledby={`${prefix}-${current.id}`}>
        {current.body()}
      </div>
    </>
  );
}

/** A scrollable piece of text that the keyboard reaches. */
export function Code({
  label,
  children,
  hex = false,
}: {
  readonly label: string;
  readonly children: ReactNode;
  readonly hex?: boolean;
}): ReactNode {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <pre className={hex ? 'code hex' : 'code'} tabIndex={0} role="region" aria-label={label}>
      {children}
    </pre>
  );
}

/** Longer texts are shown as they are: colouring would take seconds. */
const MOST_COLOURED = 300_000;
const MOST_HEX = 16_384;

export interface Shown {
  readonly type: string;
  readonly text?: string | undefined;
  readonly base64?: string | undefined;
}

/** A body, readable by its kind, or as it is. */
export function Body({ label, body }: { readonly label: string; readonly body: Shown }): ReactNode {
  const [plain, setPlain] = useState(false);
  const kind = kindOf(body.type, body.text);
  const changeable =
    kind === 'json' || kind === 'xml' || kind === 'form' || (kind === 'image' && body.text !== undefined);
  return (
    <>
      {changeable && (
        <p className="modes">
          <label>
            <input type="checkbox" checked={plain} onChange={(event) => setPlain(event.target.checked)} /> as it was
            sent
          </label>
        </p>
      )}
      <Readable label={label} body={body} kind={plain ? 'text' : kind} />
    </>
  );
}

function Readable({
  label,
  body,
  kind,
}: {
  readonly label: string;
  readonly body: Shown;
  readonly kind: ReturnType<typeof kindOf>;
}): ReactNode {
  const { text = '', type } = body;
  switch (kind) {
    case 'json':
      return <Json label={label} text={text} />;
    case 'xml':
      return <Code label={label}>{text.length > MOST_COLOURED ? text : indentXml(text)}</Code>;
    case 'form':
      return <PairTable label={label} pairs={[...new URLSearchParams(text)]} />;
    case 'image':
      return <img className="preview" alt={`${label}, as an image`} src={dataUrl(type, body)} />;
    case 'binary': {
      const data = bytesOfBase64(body.base64 ?? '');
      return (
        <Code label={label} hex>
          {hexDump(data.subarray(0, MOST_HEX))}
          {data.length > MOST_HEX ? `\n… ${data.length - MOST_HEX} more bytes` : ''}
        </Code>
      );
    }
    default:
      return <Code label={label}>{text}</Code>;
  }
}

function Json({ label, text }: { readonly label: string; readonly text: string }): ReactNode {
  if (text.length > MOST_COLOURED) return <Code label={label}>{text}</Code>;
  let tokens: readonly Token[];
  try {
    tokens = jsonTokens(text);
  } catch (error) {
    return (
      <>
        <p className="problem">{jsonProblem(text, error)}</p>
        <Code label={label}>{text}</Code>
      </>
    );
  }
  return (
    <Code label={label}>
      {tokens.map(({ kind, text: words }, at) =>
        kind === '' ? (
          words
        ) : (
          <span key={at} className={kind}>
            {words}
          </span>
        ),
      )}
    </Code>
  );
}

function dataUrl(type: string, { text, base64 }: Shown): string {
  const plain = type.split(';')[0] ?? '';
  return base64 === undefined ? `data:${plain},${encodeURIComponent(text ?? '')}` : `data:${plain};base64,${base64}`;
}

/** A modal dialog: the browser keeps the focus in it, Escape closes. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}): ReactNode {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog ref={element} aria-labelledby={heading} onCancel={onClose} onClose={onClose}>
      <div className="dialog-head">
        <h2 id={heading}>{title}</h2>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
      {children}
    </dialog>
  );
}

/** A labelled field; `children` gets the id that ties it to its label. */
export function Field({
  label,
  children,
}: {
  readonly label: string;
  readonly children: (id: string) => ReactNode;
}): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children(id)}
    </div>
  );
}
