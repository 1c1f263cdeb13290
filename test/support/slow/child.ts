/** Slow clients in a process of their own; see `crowd.ts`. */
import { SlowClients } from './clients.ts';
import type { Answer, Order } from './crowd.ts';

const clients = new SlowClients(process.env['SLOW_ADDRESS'] ?? '127.0.0.1');

process.on('message', (order: Order) => {
  void obey(order);
});
process.on('disconnect', () => process.exit());

async function obey(order: Order): Promise<void> {
  if (order.open !== undefined) await clients.open(order.open);
  const answer: Answer = { number: order.number, alive: clients.alive(), counts: clients.counts() };
  process.send?.(answer);
}
