import { describe, expect, it } from 'vitest';
import { TRANSFORMATIONS } from './index.ts';

const CASES: readonly (readonly [string, string, string])[] = [
  ['base64Decode', 'VGVzdA==rest', 'Test'],
  ['base64DecodeExt', 'VG-Vz dA==', 'Test'],
  ['base64Encode', 'Test', 'VGVzdA=='],
  ['cmdLine', `C^:\\"a" , ;/x (y Z`, 'c:a/x(y z'],
  ['compressWhitespace', 'a \t\n b\xa0c', 'a b c'],
  [
    'cssDecode',
    String.raw`\6a avascript\3a x\
y`,
    'javascript:xy',
  ],
  ['escapeSeqDecode', String.raw`\x41\102\n\q\\`, 'AB\n\\q\\'],
  ['hexDecode', '54657374', 'Test'],
  ['hexEncode', 'T\xff', '54ff'],
  ['htmlEntityDecode', '&lt;&#x41&#66;&nbsp;&unknown;&', '<AB\xa0&unknown;&'],
  ['jsDecode', String.raw`\u0041\x42\103\t\q\uff1c`, 'ABC\tq<'],
  ['length', 'abc', '3'],
  ['lowercase', 'AbC\xc4', 'abc\xc4'],
  ['md5', 'a', '\x0c\xc1\x75\xb9\xc0\xf1\xb6\xa8\x31\xc3\x99\xe2\x69\x77\x26\x61'],
  ['normalizePath', '/a/./b//../c/', '/a/c/'],
  ['normalizePath', '../../a/../b', '../../b'],
  ['normalizePath', '/..', '/'],
  ['normalizePathWin', String.raw`\a\..\b`, '/b'],
  ['removeComments', 'a/*b*/c--d', 'ac'],
  ['removeCommentsChar', 'a/*b*/#c', 'abc'],
  ['removeNulls', 'a\0b', 'ab'],
  ['removeWhitespace', ' a\tb\xa0', 'ab'],
  ['replaceComments', 'UNION/**/SELECT/*x', 'UNION SELECT '],
  ['replaceNulls', 'a\0b', 'a b'],
  ['sqlHexDecode', '0x53454c454354 0x5', 'SELECT 0x5'],
  ['trim', ' \va\n', 'a'],
  ['uppercase', 'aB\xe4', 'AB\xe4'],
  ['urlDecode', 'a+b%20c%zz%u0041', 'a b c%zz%u0041'],
  ['urlDecodeUni', '%u0041%uff1c+%41%u00', 'A< A%u00'],
  ['urlEncode', 'a b*&', 'a+b*%26'],
  ['utf8toUnicode', '\xc3\xa4\xff\xc0\xaf', '%u00e4\xff\xc0\xaf'],
];

describe('transformations', () => {
  it.each(CASES)('%s of %j is %j', (name, before, after) => {
    expect(TRANSFORMATIONS.get(name.toLowerCase())?.(before)).toBe(after);
  });

  it('make the number of ones even or odd', () => {
    expect(TRANSFORMATIONS.get('parityeven7bit')?.('ac')).toBe('\xe1c');
    expect(TRANSFORMATIONS.get('parityodd7bit')?.('ac')).toBe('a\xe3');
    expect(TRANSFORMATIONS.get('parityzero7bit')?.('\xe1')).toBe('a');
  });
});
