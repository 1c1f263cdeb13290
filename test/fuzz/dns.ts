/** Questions to the name server of challenges: what it says to strangers, and how much. */
// Internal to the package: nobody but this needs a public name of it.
import { Zone } from '../../packages/acme/src/dns/zone.ts';
import { materialOf, mutatedOf } from './mutate.ts';
import { type FuzzTarget, fuzzTarget, must } from './target.ts';

const NAME = '_acme-challenge.tun.example.com';
const SECRET = 'value-of-another-order';
const ZONE = new Zone([NAME]);
ZONE.add(NAME, SECRET);
for (let n = 0; n < 20; n++) ZONE.add(`x.${NAME}`, `${n}`.repeat(43));

function wire(name: string): string {
  const labels = name === '' ? [] : name.split('.');
  return `${labels.map((label) => String.fromCodePoint(label.length) + label).join('')}\0`;
}

function question(name: string, type: number, edns = ''): string {
  const opt = edns === '' ? '' : `\0\0\x29${edns}\0\0\0\0\0\0`;
  return `\x12\x34\x01\0\0\x01\0\0\0\0\0${edns === '' ? '\0' : '\x01'}${wire(name)}\0${String.fromCodePoint(type)}\0\x01${opt}`;
}

const QUESTIONS = materialOf(
  [
    question(NAME, 16),
    question(NAME, 16, '\x04\xd0'),
    question(NAME.toUpperCase(), 16, '\xff\xff'),
    question(`x.${NAME}`, 16, '\x10\0'),
    question(NAME, 2),
    question(NAME, 6),
    question(NAME, 255),
    question(NAME, 252),
    question(`none.${NAME}`, 16),
    question('example.org', 1),
    question('', 2),
    '\x12\x34\x01\0\0\x01\0\0\0\0\0\0\xc0\x0c\0\x10\0\x01',
    '\x12\x34\x81\0\0\x01\0\0\0\0\0\0\0\0\x10\0\x01',
  ],
  [wire(NAME), wire('example.com'), '\0', '\x3f', '\x40', '\xc0\x0c', '\0\x10', '\0\x01', '\0\xff', '\0\0\x29\xff\xff'],
);

export const dnsTarget: FuzzTarget = fuzzTarget<Buffer>(
  'dns',
  (dice) => mutatedOf(QUESTIONS, dice),
  (message) => {
    const whole = ZONE.reply(message, null);
    const [gained, plain] = [ZONE.reply(message, 3), ZONE.reply(message, 1)];
    must((whole === null) === (gained === null) && (whole === null) === (plain === null), 'answered by one way alone');
    if (whole === null || gained === null || plain === null) return;
    must(gained.length <= message.length * 3, 'more than three times the question');
    must(plain.length <= message.length, 'larger than the question');
    for (const reply of [whole, gained, plain]) {
      must(reply.readUInt16BE(0) === message.readUInt16BE(0), 'an answer to another question');
      must((reply.readUInt16BE(2) & 0x8000) !== 0, 'no answer, but a question');
      must(reply.length <= 0xffff, 'longer than a message may be');
    }
    must(plain.equals(whole) || (plain.readUInt16BE(2) & 0x0200) !== 0, 'something left out without a word');
    // Texts are of names that were asked for, and of no others.
    must(
      !whole.includes(SECRET) || message.toString('latin1').toLowerCase().includes(wire(NAME)),
      'a text of another name',
    );
  },
  (message) => message.toString('hex').slice(0, 2_000),
);
