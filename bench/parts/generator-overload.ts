/**
 * Visitors who come whether or not those before them have been served: so many new connections a second, each for one
 * request and with a deadline. Prints `ready`, waits for a line on its input, prints `counting` when the lead is over,
 * `ended` when nobody comes any more, and one JSON line (OverloadResult). Argument: JSON of OverloadOrder.
 */
import net, { type Socket } from 'node:net';
import process from 'node:process';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import tls from 'node:tls';
import type { OverloadOrder, OverloadResult } from '../scenarios/overload.ts';
import { closingRequest } from './closing-request.ts';

const TICK_MS = 10;
/** Who would be more than these has not come at all: this process has its limits, too. */
const MOST_AT_ONCE = 6_000;

const order: OverloadOrder = JSON.parse(process.argv[2] ?? '{}');
const request = closingRequest(order);
/** One for all: making it costs more than a handshake. */
const secureContext = tls.createSecureContext();
const served: number[] = [];
const refused: number[] = [];
let sent = 0;
let offered = 0;
let countsFrom = Infinity;
let late = 0;
let broken = 0;
let unsent = 0;
let atOnce = 0;
let whenQuiet: (() => void) | null = null;

function visit(): void {
  if (atOnce >= MOST_AT_ONCE) {
    unsent += 1;
    return;
  }
  sent += 1;
  atOnce += 1;
  const startedAt = performance.now();
  /** Who comes before is for the server to find out that too many come. */
  const counts = startedAt >= countsFrom;
  if (counts) offered += 1;
  const socket: Socket = order.tls
    ? tls.connect({
        host: order.host,
        port: order.port,
        servername: order.hostHeader.split(':')[0] ?? '',
        // What is measured is the cost of TLS, not the trust in a certificate made for this run.
        rejectUnauthorized: false,
        secureContext,
      })
    : net.connect({ host: order.host, port: order.port });
  let text = '';
  let over = false;
  const end = (count: () => void): void => {
    if (over) return;
    over = true;
    if (counts) count();
    clearTimeout(deadline);
    socket.destroy();
    atOnce -= 1;
    if (atOnce === 0) whenQuiet?.();
  };
  const since = (): number => performance.now() - startedAt;
  const deadline = setTimeout(() => end(() => (late += 1)), order.deadlineMs);
  socket.once(order.tls ? 'secureConnect' : 'connect', () => socket.write(request));
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    if (!text.includes('\r\n\r\n')) return;
    if (text.startsWith('HTTP/1.1 200')) end(() => served.push(since()));
    else if (text.startsWith('HTTP/1.1 503')) end(() => refused.push(since()));
    else end(() => (broken += 1));
  });
  // Before TLS a refusal is a reset or an alert.
  socket.on('error', () => end(() => refused.push(since())));
  socket.on('close', () => end(() => (broken += 1)));
}

function at(latencies: number[], share: number): number {
  latencies.sort((a, b) => a - b);
  return latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
}

async function run(): Promise<void> {
  const begunAt = performance.now();
  countsFrom = begunAt + order.leadSeconds * 1_000;
  const endsAt = countsFrom + order.seconds * 1_000;
  const delay = monitorEventLoopDelay();
  setTimeout(() => {
    console.log('counting');
    delay.enable();
  }, order.leadSeconds * 1_000);
  for (let due = 0; performance.now() < endsAt;) {
    due = ((performance.now() - begunAt) / 1_000) * order.perSecond - sent - unsent;
    for (let one = 0; one < due; one++) visit();
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  console.log('ended');
  delay.disable();
  const seconds = (performance.now() - countsFrom) / 1_000;
  if (atOnce > 0) await new Promise<void>((resolve) => (whenQuiet = resolve));
  const result: OverloadResult = {
    seconds,
    offered,
    unsent,
    late,
    broken,
    ownDelay: delay.percentile(99) / 1e6,
    served: { count: served.length, p50: at(served, 0.5), p99: at(served, 0.99) },
    refused: { count: refused.length, p50: at(refused, 0.5), p99: at(refused, 0.99) },
  };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

console.log('ready');
process.stdin.once('data', () => void run());
