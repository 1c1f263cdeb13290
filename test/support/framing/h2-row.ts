/** One HTTP/2 request, frame by frame, with what has to become of it. `{H}` and `{T}` as in `row.ts`. */
import { Flag, FrameType, frame, headerBlock } from './h2-wire.ts';
import type { SeenRequest } from './row.ts';

export type Fields = readonly (readonly [name: string, value: string])[];

/** Frames of a request on the stream `id`; `fill` puts host and token into texts. */
export type FrameMaker = (id: number, fill: (text: string) => string) => readonly Buffer[];

export interface H2Row {
  readonly group: string;
  readonly name: string;
  readonly frames: FrameMaker;
  readonly verdict: H2Verdict;
}

export type H2Verdict =
  /** By an error status, a reset of the stream or the end of the connection. */
  | { readonly kind: 'refused'; readonly begun: boolean; readonly whole?: SeenRequest }
  | { readonly kind: 'accepted'; readonly seen: SeenRequest }
  | { readonly kind: 'nowhere'; readonly status: number };

export const no: H2Verdict = { kind: 'refused', begun: false };
/** The fault comes after a head that was in order. */
export const noAfterHead: H2Verdict = { kind: 'refused', begun: true };
/** The fault comes after a request that was complete by its own word, and may have arrived. */
export const noAfterEnd = (whole: SeenRequest): H2Verdict => ({ kind: 'refused', begun: true, whole });
export const yes = (seen: SeenRequest): H2Verdict => ({ kind: 'accepted', seen });

export const PSEUDO: Fields = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', '{H}'],
  [':path', '/{T}'],
];

/** The usual pseudo fields, some replaced, some left out (null). */
export function pseudo(changes: Readonly<Record<string, string | null>> = {}): Fields {
  return PSEUDO.flatMap(([name, value]) => {
    const changed = changes[name];
    if (changed === null) return [];
    return [[name, changed ?? value] as const];
  });
}

/** A head that ends its stream. */
export function only(fields: Fields): FrameMaker {
  return (id, fill) => [headers(id, fields, fill, true)];
}

/** A GET with more fields. */
export function withFields(...fields: Fields): FrameMaker {
  return only([...PSEUDO, ...fields]);
}

/** A POST with more fields and its body in DATA frames. */
export function withBody(fields: Fields, ...parts: readonly string[]): FrameMaker {
  return (id, fill) => [
    headers(id, [...pseudo({ ':method': 'POST' }), ...fields], fill, false),
    ...parts.map((part, index) => data(id, fill(part), index === parts.length - 1)),
  ];
}

/** A POST with a body of `hello` and these trailers. */
export function withTrailers(fields: Fields, ends = true): FrameMaker {
  return (id, fill) => [
    headers(id, pseudo({ ':method': 'POST' }), fill, false),
    data(id, 'hello', false),
    headers(id, fields, fill, ends),
  ];
}

export function headers(id: number, fields: Fields, fill: (text: string) => string, ends: boolean): Buffer {
  const block = headerBlock(fields.map(([name, value]) => [fill(name), fill(value)]));
  return frames(id, block, ends);
}

const FRAME_BYTES = 16_384;

/** A block in as many frames as it needs. */
export function frames(id: number, block: Buffer, ends: boolean): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at === 0 || at < block.length; at += FRAME_BYTES) {
    const last = at + FRAME_BYTES >= block.length ? Flag.endHeaders : 0;
    const flags = at === 0 ? last | (ends ? Flag.endStream : 0) : last;
    const type = at === 0 ? FrameType.headers : FrameType.continuation;
    parts.push(frame(type, flags, id, block.subarray(at, at + FRAME_BYTES)));
  }
  return Buffer.concat(parts);
}

export function data(id: number, text: string, ends: boolean): Buffer {
  return frame(FrameType.data, ends ? Flag.endStream : 0, id, Buffer.from(text, 'latin1'));
}

export type ShortH2Row = readonly [name: string, frames: FrameMaker, verdict: H2Verdict];

export function h2Group(group: string, rows: readonly ShortH2Row[]): H2Row[] {
  return rows.map(([name, made, verdict]) => ({ group, name, frames: made, verdict }));
}
