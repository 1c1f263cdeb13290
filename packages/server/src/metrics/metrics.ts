import type { Numbers } from '@postern/acme';
import type { EdgeStats, ListenerStats } from '@postern/edge';
import type { PlaneNumbers, WorkerReading } from '../workers/numbers.ts';
import type { TrafficEvent } from '@postern/link';
import { acmeMetrics } from './acme-metrics.ts';
import { exposition, type Metric, type Sample } from './exposition.ts';
import type { ProcessNumbers } from './process-numbers.ts';
import { STATUS_CLASSES, TrafficCounts } from './traffic-counts.ts';

/** What is read at scrape time. */
export interface MetricsSources {
  readonly version: string;
  /** null while nothing serves. */
  readonly plane: () => Promise<PlaneNumbers | null>;
  readonly storeWritable: () => boolean;
  /** Unix milliseconds; as many as the configuration names. */
  readonly certificates: () => readonly { readonly certificate: string; readonly notAfter: number }[];
  /** null where no certificates are ordered. */
  readonly acme: () => Numbers | null;
  readonly accessLinesLost: () => number;
  readonly failedAuthentications: () => { readonly agent: number; readonly api: number };
  /** Mistakes that nothing in the process had to catch. */
  readonly uncaught: () => number;
  readonly process: () => ProcessNumbers;
}

/** Counters of the two machines. Labels are bounded: no hosts, no ids. */
export class Metrics {
  readonly #sources: MetricsSources;
  readonly #traffic = new TrafficCounts();

  constructor(sources: MetricsSources) {
    this.#sources = sources;
  }

  /** Called for every exchange and connection that has ended here. */
  observe(event: TrafficEvent): void {
    this.#traffic.observe(event);
  }

  /** Everything, as Prometheus reads it. */
  async text(): Promise<string> {
    const { version, plane, storeWritable, certificates } = this.#sources;
    const process = this.#sources.process();
    const numbers = await plane();
    const live = numbers?.edge ?? null;
    const acme = this.#sources.acme();
    const traffic = new TrafficCounts().add(this.#traffic.sums);
    for (const elsewhere of numbers?.traffic ?? []) traffic.add(elsewhere);
    const { requests, errors, tcp, tls, bytesIn, bytesOut } = traffic.sums;
    const mistakes: readonly Sample[] = [
      { labels: { where: 'edge' }, value: live?.faults ?? 0 },
      { labels: { where: 'process' }, value: this.#sources.uncaught() + (numbers?.uncaught ?? 0) },
    ];
    return exposition([
      gauge('postern_build_info', 'Always 1; the label says which version runs', 1, { version }),
      {
        name: 'postern_http_requests_total',
        kind: 'counter',
        help: 'Finished HTTP exchanges by class of their status; none = ended without one',
        samples: STATUS_CLASSES.map((status, index) => ({ labels: { status }, value: requests[index] ?? 0 })),
      },
      {
        name: 'postern_http_request_seconds',
        kind: 'histogram',
        help: 'Time from the head of a request to its end',
        samples: traffic.durations.samples(),
      },
      {
        name: 'postern_connections_total',
        kind: 'counter',
        help: 'Finished connections of TCP and TLS endpoints',
        samples: [
          { labels: { kind: 'tcp' }, value: tcp },
          { labels: { kind: 'tls' }, value: tls },
        ],
      },
      {
        name: 'postern_visitor_bytes_total',
        kind: 'counter',
        help: 'Bytes from (in) and to (out) visitors',
        samples: [
          { labels: { direction: 'in' }, value: bytesIn },
          { labels: { direction: 'out' }, value: bytesOut },
        ],
      },
      {
        name: 'postern_errors_total',
        kind: 'counter',
        help: 'Failures told to visitors, by code',
        samples: Array.from(errors, ([code, value]): Sample => ({ labels: { code }, value })),
      },
      ...(live === null ? [] : edgeMetrics(live)),
      {
        name: 'postern_certificate_not_after_seconds',
        kind: 'gauge',
        help: 'When the authority (ca.pem) and the certificates given by file end, Unix time',
        samples: certificates().map(({ certificate, notAfter }) => ({
          labels: { certificate },
          value: notAfter / 1000,
        })),
      },
      ...(acme === null ? [] : acmeMetrics(acme)),
      {
        name: 'postern_policy_failed_expressions_total',
        kind: 'counter',
        help: 'Expressions of traffic policies that failed at run time, so that their rule was passed over',
        samples: [{ value: live?.policyWarnings ?? 0 }],
      },
      gauge('postern_policy_buckets', 'Buckets that rate-limit counts in', live?.buckets.kept ?? 0),
      {
        name: 'postern_policy_forgotten_buckets_total',
        kind: 'counter',
        help: 'Buckets of rate-limit that had to make room for others while they counted',
        samples: [{ value: live?.buckets.forgotten ?? 0 }],
      },
      {
        name: 'postern_policy_lost_events_total',
        kind: 'counter',
        help: 'Events of traffic policies that were too many or too large for the log',
        samples: [{ value: live?.lostEvents ?? 0 }],
      },
      {
        name: 'postern_policy_outgoing_total',
        kind: 'counter',
        help: 'Requests to the internet for traffic policies (sets of keys); refused = where they led is not allowed',
        samples: [
          { labels: { result: 'asked' }, value: live?.outside.asked ?? 0 },
          { labels: { result: 'refused' }, value: live?.outside.refused ?? 0 },
        ],
      },
      {
        name: 'postern_faults_total',
        kind: 'counter',
        help: 'Mistakes inside the server; in the edge each ended one connection, request or RPC. The log has their stacks',
        samples: mistakes,
      },
      {
        name: 'postern_failed_authentications_total',
        kind: 'counter',
        help: 'Agents and calls of the API without a valid credential; the log names their addresses',
        samples: Object.entries(this.#sources.failedAuthentications()).map(([door, value]) => ({
          labels: { door },
          value,
        })),
      },
      {
        name: 'postern_access_log_lost_lines_total',
        kind: 'counter',
        help: 'Lines of the access log that could not be written, or not as fast as they came',
        samples: [{ value: this.#sources.accessLinesLost() }],
      },
      gauge('postern_store_writable', '1 while the database takes writes', storeWritable() ? 1 : 0),
      ...(numbers === null ? [] : workerMetrics(numbers)),
      gauge('process_resident_memory_bytes', 'Resident memory', process.residentBytes),
      {
        name: 'process_cpu_seconds_total',
        kind: 'counter',
        help: 'CPU time, user and system',
        samples: [{ value: process.cpuSeconds }],
      },
      gauge('process_start_time_seconds', 'When the process started, Unix time', process.startedAt),
    ]);
  }
}

/** Nothing where the server itself serves. */
function workerMetrics({ edge, workers, lost }: PlaneNumbers): readonly Metric[] {
  if (workers.length === 0 && lost === 0) return [];
  const each = (value: (reading: WorkerReading) => number): readonly Sample[] =>
    workers.map((reading) => ({ labels: { worker: reading.name.split('.')[0] ?? '' }, value: value(reading) }));
  return [
    gauge('postern_workers', 'Workers that serve', workers.length),
    {
      name: 'postern_lost_workers_total',
      kind: 'counter',
      help: 'Workers that ended by themselves; another one has taken the place of each',
      samples: [{ value: lost }],
    },
    {
      name: 'postern_crossed_streams_total',
      kind: 'counter',
      help: 'Streams into agents whose connection another worker has',
      samples: [{ value: edge.crossedStreams }],
    },
    {
      name: 'postern_moved_connections_total',
      kind: 'counter',
      help: 'Connections of visitors that went on at another worker, which has the agent that they ask for',
      samples: [{ value: edge.movedConnections }],
    },
    {
      name: 'postern_worker_visitor_connections',
      kind: 'gauge',
      help: 'Connections of visitors that are open, by worker',
      samples: each(({ connections }) => connections),
    },
    {
      name: 'postern_worker_cpu_seconds_total',
      kind: 'counter',
      help: 'CPU time, user and system, by worker; begins anew with who takes its place',
      samples: each(({ process }) => process.cpuSeconds),
    },
    {
      name: 'postern_worker_resident_memory_bytes',
      kind: 'gauge',
      help: 'Resident memory by worker',
      samples: each(({ process }) => process.residentBytes),
    },
  ];
}

function edgeMetrics(live: EdgeStats): readonly Metric[] {
  const { listeners } = live;
  const ofListeners = (value: (listener: ListenerStats) => number): readonly Sample[] =>
    listeners.map((listener) => ({ labels: { listener: listener.name }, value: value(listener) }));
  const sum = (value: (listener: ListenerStats) => number): number =>
    listeners.reduce((total, listener) => total + value(listener), 0);
  return [
    gauge('postern_agent_sessions', 'Agent sessions connected', live.agentSessions),
    gauge('postern_agent_streams', 'Streams open into agents', live.agentStreams),
    {
      name: 'postern_places',
      kind: 'gauge',
      help: 'Places (streams) of all agent sessions, and visitors that wait for one',
      samples: [
        { labels: { state: 'used' }, value: live.places.used },
        { labels: { state: 'free' }, value: live.places.free },
        { labels: { state: 'waiting' }, value: live.places.waiting },
      ],
    },
    {
      name: 'postern_places_refused_total',
      kind: 'counter',
      help: 'Visitors who waited for a place in vain',
      samples: [{ value: live.places.refused }],
    },
    {
      name: 'postern_places_reclaimed_total',
      kind: 'counter',
      help: 'Places taken back from idle, slow or silent connections because others needed them',
      samples: [{ value: live.places.reclaimed }],
    },
    gauge(
      'postern_visitor_connections',
      'Visitor connections open',
      sum(({ visitors, open }) => (visitors ? open : 0)),
    ),
    {
      name: 'postern_listener_connections',
      kind: 'gauge',
      help: 'Connections open, by listener; tcp = the ports of all TCP endpoints',
      samples: ofListeners(({ open }) => open),
    },
    {
      name: 'postern_listener_refused_connections_total',
      kind: 'counter',
      help: 'Connections turned away by the connection limits, by listener',
      samples: ofListeners(({ refused }) => refused),
    },
    {
      name: 'postern_listener_crowded_out_connections_total',
      kind: 'counter',
      help: 'Connections turned away because more came than could be served, by listener',
      samples: ofListeners(({ crowdedOut }) => crowdedOut),
    },
    gauge('postern_endpoints', 'Endpoints that the edge routes', live.endpoints),
    {
      name: 'postern_refused_connections_total',
      kind: 'counter',
      help: 'Connections turned away by the connection limits',
      samples: [{ value: sum(({ refused }) => refused) }],
    },
  ];
}

function gauge(name: string, help: string, value: number, labels?: Readonly<Record<string, string>>): Metric {
  return { name, kind: 'gauge', help, samples: [labels === undefined ? { value } : { labels, value }] };
}
