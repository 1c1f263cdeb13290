/**
 * The rules' public face. The API renders these views; the server turns the agent half into the edge's ControlLink.
 * Every method throws PosternError for what a user did, and lets StoreUnavailable pass for what the disk did.
 */
import type { Scheme } from '@postern/link';
import type {
  BACKEND_FIELDS,
  CreateOf,
  edgeRoutes,
  managedCertificates,
  endpoints,
  PLAIN,
  PlainName,
  tlsEdges,
  tunnels,
  tunnelSessions,
  UpdateOf,
  ViewOf,
  ViewOfResource,
} from '@postern/resources';

type EdgeKind = Exclude<Scheme, 'http'>;

export interface Principal {
  /** `usr_…` (no uri) or `bot_…`. */
  readonly id: string;
}

/** Whoever calls the API, after authentication. */
export interface Caller {
  readonly accountId: string;
  readonly principal: Principal;
  readonly apiKeyId: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** More rows follow the last one. */
  readonly more: boolean;
}

export interface PageQuery {
  readonly beforeId?: string;
  /** 1 to 100. */
  readonly limit: number;
}

export interface EndpointQuery extends PageQuery {
  readonly ids?: readonly string[];
  readonly urls?: readonly string[];
}

/** An endpoint of any type; '' and null mean "not there" and are left out on the wire. */
export type EndpointView = ViewOfResource<typeof endpoints> & {
  readonly type: 'cloud' | 'ephemeral' | 'edge';
  readonly scheme: Scheme;
  /** 'http1', 'http2' or ''. */
  readonly upstreamProtocol: string;
  /** Edge id and its kind for the uri. */
  readonly edge: { readonly id: string; readonly kind: EdgeKind } | null;
};
/** Fields as the client sent them; absent ones are not there. null has been removed by the API (null = absent). */
export type EndpointCreate = CreateOf<typeof endpoints>;
export type EndpointUpdate = UpdateOf<typeof endpoints>;

/** The five verbs that every resource of the API is made of. */
export interface ResourceService<View, Create, Update, Query extends PageQuery = PageQuery> {
  create(caller: Caller, input: Create): Promise<View>;
  /** null = no such resource in this account (404). */
  get(caller: Caller, id: string): Promise<View | null>;
  list(caller: Caller, query: Query): Promise<Page<View>>;
  /** null = no such resource. */
  update(caller: Caller, id: string, patch: Update): Promise<View | null>;
  /** false = no such resource. */
  remove(caller: Caller, id: string): Promise<boolean>;
}

/** Of a plain resource, all from its definition. A `token` is in the answer of the create call only; null ever after. */
type ServiceOf<R> = ResourceService<ViewOfResource<R>, CreateOf<R>, UpdateOf<R>>;

/** One for each plain resource, by the name of its definition. */
export type PlainServices = { readonly [N in PlainName]: ServiceOf<(typeof PLAIN)[N]> };

export type TunnelSessionView = ViewOfResource<typeof tunnelSessions>;
export interface TunnelSessionService {
  get(caller: Caller, id: string): Promise<TunnelSessionView | null>;
  list(caller: Caller, query: PageQuery): Promise<Page<TunnelSessionView>>;
  /** false = no such session. Throws 804–810 as the agent answers. */
  stop(caller: Caller, id: string): Promise<boolean>;
  restart(caller: Caller, id: string): Promise<boolean>;
  /** `version` '' = the newest one. */
  update(caller: Caller, id: string, version: string): Promise<boolean>;
}

export type TunnelView = ViewOfResource<typeof tunnels> & {
  /** null for tunnels that are not labelled. */
  readonly labels: Readonly<Record<string, string>> | null;
  /** null for labelled tunnels. */
  readonly endpoint: { readonly id: string; readonly publicUrl: string; readonly proto: string } | null;
};
export interface TunnelService {
  get(caller: Caller, id: string): Promise<TunnelView | null>;
  list(caller: Caller, query: PageQuery): Promise<Page<TunnelView>>;
}

export type ManagedCertificateView = ViewOfResource<typeof managedCertificates>;
export interface ManagedCertificateService {
  get(caller: Caller, id: string): Promise<ManagedCertificateView | null>;
  list(caller: Caller, query: PageQuery): Promise<Page<ManagedCertificateView>>;
  /** false = no such certificate. Throws 90083, 90084. */
  renew(caller: Caller, id: string): Promise<boolean>;
  /** null = no such certificate. Throws 90083, 90084. */
  check(caller: Caller, id: string): Promise<ManagedCertificateView | null>;
}

/** The backend module of an edge or route. */
export type BackendModule = ViewOf<typeof BACKEND_FIELDS>;
export type EdgeRouteView = ViewOfResource<typeof edgeRoutes>;
export interface EdgeView extends Omit<ViewOfResource<typeof tlsEdges>, 'backend'> {
  readonly kind: EdgeKind;
  /** tls, tcp. */
  readonly backend: BackendModule | null;
  /** https. */
  readonly routes: readonly EdgeRouteView[];
}
export interface EdgeInput extends Omit<UpdateOf<typeof tlsEdges>, 'backend'> {
  /** null = remove the module; tls and tcp only. */
  readonly backend?: BackendModule | null;
}
export interface EdgeRouteInput extends Omit<UpdateOf<typeof edgeRoutes>, 'backend'> {
  readonly backend?: BackendModule | null;
}
export interface EdgeService {
  create(caller: Caller, kind: EdgeView['kind'], input: EdgeInput): Promise<EdgeView>;
  get(caller: Caller, kind: EdgeView['kind'], id: string): Promise<EdgeView | null>;
  list(caller: Caller, kind: EdgeView['kind'], query: PageQuery): Promise<Page<EdgeView>>;
  update(caller: Caller, kind: EdgeView['kind'], id: string, input: EdgeInput): Promise<EdgeView | null>;
  remove(caller: Caller, kind: EdgeView['kind'], id: string): Promise<boolean>;
  createRoute(caller: Caller, edgeId: string, input: EdgeRouteInput): Promise<EdgeRouteView | null>;
  getRoute(caller: Caller, edgeId: string, id: string): Promise<EdgeRouteView | null>;
  updateRoute(caller: Caller, edgeId: string, id: string, input: EdgeRouteInput): Promise<EdgeRouteView | null>;
  removeRoute(caller: Caller, edgeId: string, id: string): Promise<boolean>;
}

/** What the API needs of control. */
export interface ControlApi extends PlainServices {
  /** Throws 202, 203, 206, 208; `bearer` is the credential as sent. */
  authenticateApiKey(bearer: string): Promise<Caller>;
  /** Somebody was not let in: for the operator's log. @param from the address that the call came from */
  refused(from: string, error: unknown): void;
  readonly endpoints: ResourceService<EndpointView, EndpointCreate, EndpointUpdate, EndpointQuery>;
  readonly tunnelSessions: TunnelSessionService;
  readonly tunnels: TunnelService;
  readonly edges: EdgeService;
  readonly domainCertificates: DomainCertificates;
  readonly managedCertificates: ManagedCertificateService;
}

/** The two paths below a reserved domain. Both answer false where there is no such domain. */
export interface DomainCertificates {
  /** The certificate that it was given is not its own any more. Throws 436. */
  dropCertificate(caller: Caller, id: string): Promise<boolean>;
  /** None is ordered any more; the one that is there goes. */
  dropPolicy(caller: Caller, id: string): Promise<boolean>;
}
