import { describe, expect, test } from 'vitest';
import { HpackDecoder, HpackError } from './decoder.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const MOST = 65_536;

describe('examples of RFC 7541, Appendix C', () => {
  test('requests without and with Huffman code (C.3, C.4)', () => {
    for (const blocks of [
      [
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
    ]) {
      const decoder = new HpackDecoder();
      const [first, second, third] = blocks.map((block) => decoder.decode(hex(block), MOST));
      const common = [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', '/'],
        [':authority', 'www.example.com'],
      ];
      expect(first).toEqual(common);
      expect(second).toEqual([...common, ['cache-control', 'no-cache']]);
      expect(third).toEqual([
        [':method', 'GET'],
        [':scheme', 'https'],
        [':path', '/index.html'],
        [':authority', 'www.example.com'],
        ['custom-key', 'custom-value'],
      ]);
    }
  });

  test('answers that turn a table of 256 bytes over (C.6)', () => {
    const decoder = new HpackDecoder();
    decoder.allow(256);
    const first = decoder.decode(
      hex(
        '3fe101 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad ' +
          '1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
      ),
      MOST,
    );
    const rest = [
      ['cache-control', 'private'],
      ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
      ['location', 'https://www.example.com'],
    ];
    expect(first).toEqual([[':status', '302'], ...rest]);
    expect(decoder.decode(hex('4883 640e ffc1 c0bf'), MOST)).toEqual([[':status', '307'], ...rest]);
  });
});

describe('what cannot be read is refused', () => {
  test.each([
    ['an entry that there is not', 'be'],
    ['entry 0', '80'],
    ['a string longer than the block', '0005 6161'],
    ['a block that ends within a field', '40'],
    ['a number without end', 'ffff ffff ffff ffff ff'],
    ['a table larger than was allowed', '3fe2 1f 3fff ff03'],
    ['a Huffman code with its end in it', '0084 ffff ffff 00'],
    ['padding that is not all ones', '0081 00 00'],
    ['padding of a whole byte', '0082 1fff 00'],
  ])('%s', (_, block) => {
    expect(() => new HpackDecoder().decode(hex(block), MOST)).toThrow(HpackError);
  });

  test('a small block that stands for many fields', () => {
    const decoder = new HpackDecoder();
    decoder.decode(Buffer.concat([hex('4001 61 7f a1 1e'), Buffer.alloc(4000, 'b')]), MOST);
    expect(() => decoder.decode(Buffer.alloc(1000, 0xbe), MOST)).toThrow('more than 65536 bytes');
  });

  test('or ends, whatever the bytes', () => {
    let state = 20_261_129;
    const random = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0);
    let refused = 0;
    for (let round = 0; round < 5000; round += 1) {
      const block = Buffer.from(Array.from({ length: random() % 64 }, () => random() >>> 24));
      try {
        new HpackDecoder().decode(block, MOST);
      } catch (error) {
        expect(error).toBeInstanceOf(HpackError);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(1000);
  });
});
