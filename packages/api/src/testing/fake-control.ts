import type {
  Caller,
  ControlApi,
  EdgeView,
  EndpointView,
  Page,
  PageQuery,
  PlainServices,
  ResourceService,
} from '@postern/control';
import { fail } from '@postern/errors';
import { eachPlain, EMPTY, fieldColumns } from '@postern/resources';

/** A key of the account that all rows belong to, as clients send it. */
export const API_KEY = '2na2KihAAAAAAAAAAAAAAAAAAAA_59G1nFjCYtpoGt8Fp41Fm';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Ids that sort by `n`, shaped like the real ones. */
export function idOf(prefix: string, n: number): string {
  let rest = n;
  let suffix = '';
  for (let digit = 0; digit < 4; digit += 1) {
    suffix = ALPHABET.charAt(rest % 62) + suffix;
    rest = Math.floor(rest / 62);
  }
  return `${prefix}_${suffix.padStart(27, '2')}`;
}

interface Row {
  readonly id: string;
}

/** Rows newest first, paged as control pages. */
function pageOf<T extends Row>(rows: readonly T[], { beforeId, limit }: PageQuery): Page<T> {
  const sorted = rows.toSorted((a, b) => (a.id < b.id ? 1 : -1));
  const after = beforeId === undefined ? sorted : sorted.filter((row) => row.id < beforeId);
  return { items: after.slice(0, limit), more: after.length > limit };
}

const TIME = '2025-09-04T10:11:35Z';
const CALLER: Caller = {
  accountId: 'ac_1',
  principal: { id: 'usr_32ELAUA7XkJHRP2DgH2JjDRLp81' },
  apiKeyId: idOf('ak', 1),
};

function texts(input: { readonly description?: string; readonly metadata?: string }) {
  return { createdAt: TIME, description: input.description ?? '', metadata: input.metadata ?? '' };
}

function token(id: string): string | null {
  return `${id.slice(id.indexOf('_') + 1)}_714PgnmX8vJX5wufhtV57`;
}

/** An in-memory ControlApi that keeps what it is given and decides next to nothing: the API's tests need no rules. */
export function createFakeControl() {
  let counter = 0;
  const nextId = (prefix: string): string => idOf(prefix, (counter += 1));
  const calls: { readonly name: string; readonly input: unknown }[] = [];

  function collection<View extends Row, Create extends object, Update extends object>(
    name: string,
    make: (input: Create) => View,
  ): ResourceService<View, Create, Update> & { readonly rows: View[] } {
    const rows: View[] = [];
    const at = (id: string): number => rows.findIndex((row) => row.id === id);
    return {
      rows,
      async create(_caller, input) {
        calls.push({ name: `${name}.create`, input });
        const view = make(input);
        rows.push(view);
        return view;
      },
      get: async (_caller, id) => rows[at(id)] ?? null,
      async list(_caller, query) {
        calls.push({ name: `${name}.list`, input: query });
        return pageOf(rows, query);
      },
      async update(_caller, id, patch) {
        calls.push({ name: `${name}.update`, input: patch });
        const index = at(id);
        const old = rows[index];
        if (old === undefined) return null;
        const view = { ...old, ...patch, token: 'token' in old ? null : undefined };
        rows[index] = view;
        return view;
      },
      async remove(_caller, id) {
        const index = at(id);
        if (index >= 0) rows.splice(index, 1);
        return index >= 0;
      },
    };
  }

  const endpoints = collection('endpoints', (input: Parameters<ControlApi['endpoints']['create']>[1]) => {
    if (input.url === undefined) throw fail(18015, { field: 'url' });
    return endpointView({ id: nextId('ep'), ...input, type: 'cloud', url: input.url.replace(/:443$/, '') });
  });
  const edges: EdgeView[] = [];
  const edge = (kind: string, id: string): number => edges.findIndex((row) => row.kind === kind && row.id === id);
  const sessions = { stopped: [] as string[], versions: [] as string[], refusal: null as Error | null };
  const act = async (_caller: Caller, id: string): Promise<boolean> => {
    if (sessions.refusal !== null) throw sessions.refusal;
    if (id !== idOf('ts', 1)) return false;
    sessions.stopped.push(id);
    return true;
  };

  /** As far as definitions say; those below do more. */
  const plain = eachPlain(({ idPrefixes, fields }, name) =>
    collection(name, (input: object) => {
      const empty = fieldColumns(fields).map((column): [string, unknown] => [column.name, EMPTY[column.kind]()]);
      return { ...Object.fromEntries(empty), ...input, id: nextId(idPrefixes[0]), createdAt: TIME };
    }),
  );

  const domains = collection('reservedDomains', (input: Parameters<ControlApi['reservedDomains']['create']>[1]) => ({
    id: nextId('rd'),
    ...texts(input),
    domain: input.domain ?? input.name ?? '',
    region: input.region ?? '',
    cnameTarget: null,
    certificateId: '',
    certificateManagementPolicy: null,
    certificateManagementStatus: null,
    acmeChallengeCnameTarget: null,
  }));
  const heldDomain = async (caller: Caller, id: string): Promise<boolean> => (await domains.get(caller, id)) !== null;

  const control = {
    // Each keeps what its definition takes, by the same names.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    ...(plain as unknown as PlainServices),
    refused() {},
    async authenticateApiKey(bearer: string) {
      if (bearer === API_KEY) return CALLER;
      if (bearer.startsWith('other')) return { ...CALLER, accountId: bearer, apiKeyId: idOf('ak', 2) };
      throw fail(bearer.includes('_') ? 203 : 202, { masked: `${bearer.slice(0, 3)}…` });
    },
    endpoints,
    domainCertificates: { dropCertificate: heldDomain, dropPolicy: heldDomain },
    reservedDomains: domains,
    reservedAddrs: collection('reservedAddrs', (input: Parameters<ControlApi['reservedAddrs']['create']>[1]) => ({
      id: nextId('ra'),
      ...texts(input),
      addr: 'localhost:20000',
      region: input.region ?? 'us',
    })),
    botUsers: collection('botUsers', (input: Parameters<ControlApi['botUsers']['create']>[1]) => ({
      id: nextId('bot'),
      createdAt: TIME,
      name: input.name ?? '',
      active: input.active ?? true,
    })),
    credentials: collection('credentials', (input: Parameters<ControlApi['credentials']['create']>[1]) => {
      const id = nextId('cr');
      return {
        id,
        ...texts(input),
        token: token(id),
        acl: input.acl ?? [],
        ownerId: input.ownerId?.replace(/^service_/, 'bot_') ?? CALLER.principal.id,
      };
    }),
    apiKeys: collection('apiKeys', (input: Parameters<ControlApi['apiKeys']['create']>[1]) => {
      const id = nextId('ak');
      return {
        id,
        ...texts(input),
        token: token(id),
        ownerId: input.ownerId?.replace(/^service_/, 'bot_') ?? CALLER.principal.id,
      };
    }),
    tunnelGroupBackends: collection(
      'tunnelGroupBackends',
      (input: Parameters<ControlApi['tunnelGroupBackends']['create']>[1]) => ({
        id: nextId('bkdtg'),
        ...texts(input),
        labels: input.labels ?? {},
        tunnelIds: [idOf('tn', 2)],
      }),
    ),
    tunnelSessions: {
      get: async (_caller: Caller, id: string) => (id === SESSION.id ? SESSION : null),
      list: async () => ({ items: [SESSION], more: false }),
      stop: act,
      restart: act,
      update: (caller: Caller, id: string, version: string) => {
        sessions.versions.push(version);
        return act(caller, id);
      },
    },
    tunnels: {
      get: async (_caller: Caller, id: string) => TUNNELS.find((tunnel) => tunnel.id === id) ?? null,
      list: async (_caller: Caller, query: PageQuery) => pageOf(TUNNELS, query),
    },
    managedCertificates: {
      get: async () => null,
      list: async () => ({ items: [], more: false }),
      renew: async () => false,
      check: async () => null,
    },
    edges: {
      async create(_caller, kind, input) {
        const view: EdgeView = {
          id: nextId(EDGE_PREFIX[kind]),
          kind,
          ...texts(input),
          hostports: input.hostports ?? [],
          backend: input.backend ?? null,
          routes: [],
        };
        edges.push(view);
        return view;
      },
      get: async (_caller, kind, id) => edges[edge(kind, id)] ?? null,
      list: async (_caller, kind, query) =>
        pageOf(
          edges.filter((row) => row.kind === kind),
          query,
        ),
      async update(_caller, kind, id, input) {
        const index = edge(kind, id);
        const old = edges[index];
        if (old === undefined) return null;
        const view = { ...old, ...input };
        edges[index] = view;
        return view;
      },
      async remove(_caller, kind, id) {
        const index = edge(kind, id);
        if (index >= 0) edges.splice(index, 1);
        return index >= 0;
      },
      async createRoute(_caller, edgeId, input) {
        const index = edge('https', edgeId);
        const old = edges[index];
        if (old === undefined) return null;
        const route = {
          id: nextId('edghtsrt'),
          edgeId,
          ...texts(input),
          matchType: input.matchType ?? '',
          match: input.match ?? '',
          backend: input.backend ?? null,
        };
        edges[index] = { ...old, routes: [...old.routes, route] };
        return route;
      },
      getRoute: async (_caller, edgeId, id) =>
        edges[edge('https', edgeId)]?.routes.find((route) => route.id === id) ?? null,
      async updateRoute(_caller, edgeId, id, input) {
        const index = edge('https', edgeId);
        const old = edges[index];
        const route = old?.routes.find((candidate) => candidate.id === id);
        if (old === undefined || route === undefined) return null;
        const view = { ...route, ...input };
        edges[index] = { ...old, routes: old.routes.map((candidate) => (candidate.id === id ? view : candidate)) };
        return view;
      },
      async removeRoute(_caller, edgeId, id) {
        const index = edge('https', edgeId);
        const old = edges[index];
        if (old === undefined || !old.routes.some((route) => route.id === id)) return false;
        edges[index] = { ...old, routes: old.routes.filter((route) => route.id !== id) };
        return true;
      },
    },
  } satisfies ControlApi;
  return { control, calls, sessions, endpoints: endpoints.rows, nextId };
}

const EDGE_PREFIX = { https: 'edghts', tls: 'edgtls', tcp: 'edgtcp' } as const;

export function endpointView(
  given: Partial<EndpointView> & { readonly id: string; readonly url: string },
): EndpointView {
  const { protocol, hostname, port } = new URL(given.url.replace(/^(tls|tcp):/, 'https:'));
  const scheme = given.url.startsWith('tls:') ? 'tls' : given.url.startsWith('tcp:') ? 'tcp' : protocol.slice(0, -1);
  const number = port === '' ? (scheme === 'http' ? 80 : 443) : Number(port);
  return {
    region: '',
    createdAt: TIME,
    updatedAt: TIME,
    type: 'cloud',
    publicUrl: given.url,
    scheme: scheme === 'http' || scheme === 'tls' || scheme === 'tcp' ? scheme : 'https',
    host: hostname,
    port: number,
    hostport: `${hostname}:${number}`,
    name: '',
    description: '',
    metadata: '',
    bindings: ['public'],
    poolingEnabled: false,
    trafficPolicy: '',
    upstreamUrl: '',
    upstreamProtocol: '',
    domainId: '',
    tcpAddrId: '',
    principalId: '',
    tunnelId: '',
    tunnelSessionId: '',
    edge: null,
    ...given,
  };
}

const SESSION = {
  id: idOf('ts', 1),
  agentVersion: '3.30.0',
  credentialId: idOf('cr', 9),
  ip: '127.0.0.1',
  metadata: '',
  os: 'linux',
  region: 'us',
  startedAt: TIME,
  transport: 'ngrok/2',
};

const TUNNELS = [
  {
    id: idOf('tn', 1),
    startedAt: TIME,
    metadata: '',
    forwardsTo: 'http://localhost:80',
    region: 'us',
    tunnelSessionId: SESSION.id,
    labels: null,
    endpoint: { id: idOf('ep', 1), publicUrl: 'https://app.example.com', proto: 'https' },
  },
  {
    id: idOf('tn', 2),
    startedAt: TIME,
    metadata: '',
    forwardsTo: 'http://localhost:80',
    region: 'us',
    tunnelSessionId: SESSION.id,
    labels: { foo: 'bar', baz: 'qux' },
    endpoint: null,
  },
];
