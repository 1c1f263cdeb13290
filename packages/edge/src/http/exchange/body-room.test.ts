import { expect, test } from 'vitest';
import { BodyRoom } from './body-room.ts';

const a = { network: 'a', endpointId: 'ep_1' };
const b = { network: 'b', endpointId: 'ep_1' };
const c = { network: 'c', endpointId: 'ep_1' };
const d = { network: 'd', endpointId: 'ep_2' };

test('one network has a quarter, one endpoint half of it, and what is given back can be had again', () => {
  const room = new BodyRoom(100);
  expect(room.take(a, 25)).toBe(true);
  expect(room.take(a, 1)).toBe(false);
  expect(room.take(b, 20)).toBe(true);
  expect(room.take(c, 6)).toBe(false);
  expect(room.take(c, 5)).toBe(true);
  expect(room.take(d, 25)).toBe(true);
  room.give(a, 25);
  expect(room.take(c, 20)).toBe(true);
  expect(room.take(a, 6)).toBe(false);
});

test('all of it is all there is', () => {
  const room = new BodyRoom(100);
  for (const one of ['1', '2', '3', '4']) expect(room.take({ network: one, endpointId: one }, 25)).toBe(true);
  expect(room.take({ network: '5', endpointId: '5' }, 1)).toBe(false);
});
