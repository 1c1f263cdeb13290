/**
 * The rules' public face. The API renders these views; the server turns the agent half into the edge's ControlLink.
 * Every method throws PosternError for what a user did, and lets StoreUnavailable pass for what the disk did.
 */

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
export interface EndpointView {
  readonly id: string;
  readonly region: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly type: 'cloud' | 'ephemeral' | 'edge';
  readonly url: string;
  readonly publicUrl: string;
  readonly scheme: 'http' | 'https' | 'tls' | 'tcp';
  readonly host: string;
  readonly port: number;
  /** host:port, the port always there. */
  readonly hostport: string;
  readonly name: string;
  readonly description: string;
  readonly metadata: string;
  readonly bindings: readonly string[];
  readonly poolingEnabled: boolean;
  readonly trafficPolicy: string;
  readonly upstreamUrl: string;
  /** 'http1', 'http2' or ''. */
  readonly upstreamProtocol: string;
  readonly domainId: string;
  readonly tcpAddrId: string;
  readonly principalId: string;
  readonly tunnelId: string;
  readonly tunnelSessionId: string;
  /** Edge id and its kind for the uri. */
  readonly edge: { readonly id: string; readonly kind: 'https' | 'tls' | 'tcp' } | null;
}

/** Fields as the client sent them; undefined = absent. null has been removed by the API (null = absent). */
export interface EndpointCreate {
  readonly url?: string;
  readonly type?: string;
  readonly trafficPolicy?: string;
  readonly description?: string;
  readonly metadata?: string;
  readonly bindings?: readonly string[];
  readonly poolingEnabled?: boolean;
}
export type EndpointUpdate = Omit<EndpointCreate, 'type'>;

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

export interface ReservedDomainView {
  readonly id: string;
  readonly createdAt: string;
  readonly description: string;
  readonly metadata: string;
  readonly domain: string;
  /** null for names under a base domain of ours. */
  readonly cnameTarget: string | null;
}
export interface ReservedDomainCreate {
  readonly domain?: string;
  readonly name?: string;
  readonly region?: string;
  readonly description?: string;
  readonly metadata?: string;
}
export interface ReservedDomainUpdate {
  readonly description?: string;
  readonly metadata?: string;
}

export interface ReservedAddrView {
  readonly id: string;
  readonly createdAt: string;
  readonly description: string;
  readonly metadata: string;
  readonly addr: string;
  readonly region: string;
}
export interface ReservedAddrCreate {
  readonly region?: string;
  readonly description?: string;
  readonly metadata?: string;
}
export type ReservedAddrUpdate = ReservedDomainUpdate;

export interface BotUserView {
  readonly id: string;
  readonly createdAt: string;
  readonly name: string;
  readonly active: boolean;
}
export interface BotUserCreate {
  readonly name?: string;
  readonly active?: boolean;
}

export interface CredentialView {
  readonly id: string;
  readonly createdAt: string;
  readonly description: string;
  readonly metadata: string;
  /** Only in the answer of the create call; null ever after. */
  readonly token: string | null;
  readonly acl: readonly string[];
  readonly ownerId: string;
}
export interface CredentialCreate {
  readonly description?: string;
  readonly metadata?: string;
  readonly acl?: readonly string[];
  readonly ownerId?: string;
}
export type CredentialUpdate = Omit<CredentialCreate, 'ownerId'>;

export interface ApiKeyView {
  readonly id: string;
  readonly createdAt: string;
  readonly description: string;
  readonly metadata: string;
  readonly token: string | null;
  readonly ownerId: string;
}
export interface ApiKeyCreate {
  readonly description?: string;
  readonly metadata?: string;
  readonly ownerId?: string;
}
export type ApiKeyUpdate = Omit<ApiKeyCreate, 'ownerId'>;

export interface TunnelSessionView {
  readonly id: string;
  readonly agentVersion: string;
  readonly credentialId: string;
  readonly ip: string;
  readonly metadata: string;
  readonly os: string;
  readonly region: string;
  readonly startedAt: string;
  readonly transport: string;
}
export interface TunnelSessionService {
  get(caller: Caller, id: string): Promise<TunnelSessionView | null>;
  list(caller: Caller, query: PageQuery): Promise<Page<TunnelSessionView>>;
  /** false = no such session. Throws 804–810 as the agent answers. */
  stop(caller: Caller, id: string): Promise<boolean>;
  restart(caller: Caller, id: string): Promise<boolean>;
  update(caller: Caller, id: string): Promise<boolean>;
}

export interface TunnelView {
  readonly id: string;
  readonly startedAt: string;
  readonly metadata: string;
  readonly forwardsTo: string;
  readonly region: string;
  readonly tunnelSessionId: string;
  readonly labels: Readonly<Record<string, string>> | null;
  /** null for labelled tunnels. */
  readonly endpoint: { readonly id: string; readonly publicUrl: string; readonly proto: string } | null;
}
export interface TunnelService {
  get(caller: Caller, id: string): Promise<TunnelView | null>;
  list(caller: Caller, query: PageQuery): Promise<Page<TunnelView>>;
}

export interface TunnelGroupBackendView {
  readonly id: string;
  readonly createdAt: string;
  readonly description: string;
  readonly metadata: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Online tunnels that match now. */
  readonly tunnelIds: readonly string[];
}
export interface TunnelGroupBackendCreate {
  readonly description?: string;
  readonly metadata?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** The backend module of an edge or route; other modules are refused by the API by name (90021). */
export interface BackendModule {
  readonly enabled: boolean;
  readonly backendId: string;
}
export interface EdgeRouteView {
  readonly id: string;
  readonly edgeId: string;
  readonly createdAt: string;
  readonly matchType: string;
  readonly match: string;
  readonly description: string;
  readonly metadata: string;
  readonly backend: BackendModule | null;
}
export interface EdgeView {
  readonly id: string;
  readonly kind: 'https' | 'tls' | 'tcp';
  readonly createdAt: string;
  readonly description: string;
  readonly metadata: string;
  readonly hostports: readonly string[];
  /** tls, tcp. */
  readonly backend: BackendModule | null;
  /** https. */
  readonly routes: readonly EdgeRouteView[];
}
export interface EdgeInput {
  readonly description?: string;
  readonly metadata?: string;
  readonly hostports?: readonly string[];
  /** null = remove the module; tls and tcp only. */
  readonly backend?: BackendModule | null;
}
export interface EdgeRouteInput {
  readonly matchType?: string;
  readonly match?: string;
  readonly description?: string;
  readonly metadata?: string;
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
export interface ControlApi {
  /** Throws 202, 203, 206, 208; `bearer` is the credential as sent. */
  authenticateApiKey(bearer: string): Promise<Caller>;
  readonly endpoints: ResourceService<EndpointView, EndpointCreate, EndpointUpdate, EndpointQuery>;
  readonly reservedDomains: ResourceService<ReservedDomainView, ReservedDomainCreate, ReservedDomainUpdate>;
  readonly reservedAddrs: ResourceService<ReservedAddrView, ReservedAddrCreate, ReservedAddrUpdate>;
  readonly botUsers: ResourceService<BotUserView, BotUserCreate, BotUserCreate>;
  readonly credentials: ResourceService<CredentialView, CredentialCreate, CredentialUpdate>;
  readonly apiKeys: ResourceService<ApiKeyView, ApiKeyCreate, ApiKeyUpdate>;
  readonly tunnelSessions: TunnelSessionService;
  readonly tunnels: TunnelService;
  readonly tunnelGroupBackends: ResourceService<
    TunnelGroupBackendView,
    TunnelGroupBackendCreate,
    TunnelGroupBackendCreate
  >;
  readonly edges: EdgeService;
}
