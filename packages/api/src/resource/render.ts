import { camelName, type Field, type Fields, type Resource } from '@postern/resources';
import type { Urls } from '../wire/urls.ts';
import type { WireObject } from '../wire/values.ts';

export type Rendered = WireObject & { readonly id: string };

/** Fields whose value follows from the whole view, by wire name. */
export type Computed<View> = Readonly<Record<string, (view: View, urls: Urls) => unknown>>;

type Source = Readonly<Record<string, unknown>>;
type Read = (source: Source, urls: Urls) => unknown;

/** How answers show a view. Members that are undefined are left out on the wire. */
export interface Renderer<View> {
  /** @param emptyTexts empty texts are there, for clients that need them */
  (view: View, urls: Urls, emptyTexts?: boolean): Rendered;
  /** The same members, each made when it is read: a filter looks at one or two of those of a hundred thousand rows. */
  lazily(view: View, urls: Urls): WireObject;
}

/** Compiled once from the fields. */
export function rendererOf<View extends object>(resource: Resource, computed: Computed<View>): Renderer<View> {
  const members = membersOf(resource.fields, resource.path, computed);
  const complete = membersOf(resource.fields, resource.path, computed, true);
  const render = (view: View, urls: Urls, emptyTexts?: boolean): Rendered => {
    const source = sourceOf(view);
    return { id: String(source['id']), ...show(emptyTexts === true ? complete : members, source, urls) };
  };
  const LazyRow = lazyRowOf(members);
  return Object.assign(render, { lazily: (view: View, urls: Urls) => new LazyRow(sourceOf(view), urls) });
}

const SOURCE = Symbol('source');
const URLS = Symbol('urls');

/** A class whose members are getters: making a row costs no more than its two references. */
function lazyRowOf(members: readonly Member[]): new (source: Source, urls: Urls) => WireObject {
  class LazyRow {
    readonly [SOURCE]: Source;
    readonly [URLS]: Urls;
    [name: string]: unknown;

    constructor(source: Source, urls: Urls) {
      this[SOURCE] = source;
      this[URLS] = urls;
    }
  }
  for (const [name, read] of members) {
    Object.defineProperty(LazyRow.prototype, name, {
      get(this: LazyRow) {
        return read(this[SOURCE], this[URLS]);
      },
    });
  }
  return LazyRow;
}

/** Views are plain objects; the definition that they are typed by says what is read of them. */
function sourceOf(view: object): Source {
  // oxlint-disable-next-line no-unsafe-type-assertion
  return view as Source;
}

/** How answers show a group of fields that is no resource of its own. */
export function fieldsRenderer(fields: Fields): (view: object, urls: Urls) => WireObject {
  const members = membersOf(fields, '', {});
  return (view, urls) => show(members, sourceOf(view), urls);
}

type Member = readonly [name: string, read: Read];

/** @param complete for clients that need texts to be there although they are empty */
function membersOf<View>(fields: Fields, path: string, computed: Computed<View>, complete = false): readonly Member[] {
  return Object.entries(fields)
    .filter(([, { options }]) => options.out !== 'never')
    .map(([name, field]): Member => {
      const own = computed[name];
      // What is computed takes the view that `source` is.
      // oxlint-disable-next-line no-unsafe-type-assertion
      const read = own === undefined ? null : (source: Source, urls: Urls) => own(source as unknown as View, urls);
      if (read !== null) return [name, complete ? filledUp(field, read) : read];
      const shown = emptied(field, readerOf(name, field, path, complete));
      return [name, complete ? filledUp(field, shown) : shown];
    });
}

function show(members: readonly Member[], source: Source, urls: Urls): WireObject {
  const wire: Record<string, unknown> = {};
  for (const [name, read] of members) wire[name] = read(source, urls);
  return wire;
}

function readerOf(name: string, { kind, options }: Field, path: string, complete: boolean): Read {
  const camel = camelName(name);
  const key = options.view ?? (kind === 'ref' || kind === 'owner' ? `${camel}Id` : camel);
  const collection = options.to ?? '';
  switch (kind) {
    case 'unserved':
      return () => null;
    case 'uri':
      return (source, urls) => urls.at(`${filled(path, source)}/${String(source['id'])}`);
    case 'ref':
      return (source, urls) => urls.maybeRef(collection, String(source[key]));
    case 'owner':
      return (source, urls) => (source[key] === '' ? undefined : urls.owner(String(source[key])));
    case 'refs':
      return (source, urls) => listOf(source[key]).map((id) => urls.ref(collection, String(id)));
    case 'object': {
      const members = membersOf(options.of ?? {}, path, {}, complete);
      return (source, urls) => (isSource(source[key]) ? show(members, source[key], urls) : null);
    }
    case 'objects': {
      const members = membersOf(options.of ?? {}, options.to ?? '', {}, complete);
      return (source, urls) => listOf(source[key]).map((row) => show(members, isSource(row) ? row : {}, urls));
    }
    default:
      return (source) => source[key];
  }
}

/** Left out, or null, when there is nothing to show (docs/protocol). */
function emptied({ options }: Field, read: Read): Read {
  const { out } = options;
  if (out !== 'left-out' && out !== 'null') return read;
  const nothing = out === 'null' ? null : undefined;
  return (source, urls) => {
    const value = read(source, urls);
    const empty = value === '' || value === null || value === undefined || (Array.isArray(value) && value.length === 0);
    return empty ? nothing : value;
  };
}

/** What is left out is there, empty; references are not: their readers ask first. */
function filledUp({ kind, options }: Field, read: Read): Read {
  if (options.out !== 'left-out' || !(kind in EMPTY)) return read;
  return (source, urls) => read(source, urls) ?? EMPTY[kind];
}

const EMPTY: Readonly<Record<string, unknown>> = { text: '', id: '', time: '', texts: [], labels: {}, refs: [] };

/** `/edges/https/{edge_id}/routes` with the ids that the view has. */
function filled(path: string, source: Source): string {
  if (!path.includes('{')) return path;
  return path.replace(/\{(\w+)\}/g, (_whole, name: string) => String(source[camelName(name)]));
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isSource(value: unknown): value is Source {
  return typeof value === 'object' && value !== null;
}
