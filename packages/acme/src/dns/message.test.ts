import { expect, test } from 'vitest';
import { readMessage } from './message.ts';
import { refusalOf, sign, type TsigKey } from './tsig.ts';

const KEY: TsigKey = { name: 'acme', algorithm: 'hmac-sha256', secret: Buffer.alloc(32, 7) };
const NOW = 1_800_000_000_000;
/** An answer with a compressed name: SOA of example.com, asked for a name below it. */
const ANSWER = Buffer.from(
  '1234840300010000000100000178076578616d706c6503636f6d0000060001' +
    'c00e0006000100000001001b026e73c00ec00e0000000100000001000000010000000100000001',
  'hex',
);

test('an answer with pointers is read', () => {
  const message = readMessage(ANSWER);
  expect(message).toMatchObject({ id: 0x1234, isAnswer: true, code: 3, answers: [], additional: [] });
  expect(message?.authority).toMatchObject([{ name: 'example.com', type: 6 }]);
});

test('no bytes make it fail, or go round for ever', () => {
  // The same numbers each time (LCG of Numerical Recipes).
  let seed = 1;
  const random = (most: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * most);
  };
  const request = sign(ANSWER, KEY, NOW);
  let read = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const bytes = Buffer.from(request.bytes.subarray(0, random(8) === 0 ? random(request.bytes.length) : undefined));
    for (let changes = random(4); changes >= 0 && bytes.length > 0; changes -= 1)
      bytes[random(bytes.length)] = random(256);
    const message = readMessage(bytes);
    if (message === null) continue;
    read += 1;
    // What is signed as a request is no answer to one, whatever was changed.
    expect(refusalOf(bytes, message, request, KEY, NOW)).not.toBeNull();
  }
  expect(read).toBeGreaterThan(2_000);
});
