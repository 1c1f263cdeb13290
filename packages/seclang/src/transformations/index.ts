/** `t:…`: what a value passes before it is looked at. Values are bytes, one to a character. */
import {
  base64Decode,
  base64DecodeExt,
  base64Encode,
  digest,
  hexDecode,
  hexEncode,
  parity,
  sqlHexDecode,
} from './codes.ts';
import { cssDecode, escapeSeqDecode, jsDecode } from './escapes.ts';
import { htmlEntityDecode } from './html.ts';
import { normalizePath, normalizePathWin } from './path.ts';
import {
  cmdLine,
  compressWhitespace,
  removeComments,
  removeCommentsChar,
  removeNulls,
  removeWhitespace,
  replaceComments,
  replaceNulls,
  trimLeft,
  trimRight,
} from './spaces.ts';
import { urlDecode, urlDecodeUni, urlEncode, utf8ToUnicode } from './url.ts';

export type Transformation = (text: string) => string;

/** By lower-case name. */
export const TRANSFORMATIONS: ReadonlyMap<string, Transformation> = new Map<string, Transformation>([
  ['base64decode', base64Decode],
  ['base64decodeext', base64DecodeExt],
  ['base64encode', base64Encode],
  ['cmdline', cmdLine],
  ['compresswhitespace', compressWhitespace],
  ['cssdecode', cssDecode],
  ['escapeseqdecode', escapeSeqDecode],
  ['hexdecode', hexDecode],
  ['hexencode', hexEncode],
  ['htmlentitydecode', htmlEntityDecode],
  ['jsdecode', jsDecode],
  ['length', (text) => String(text.length)],
  ['lowercase', lowercase],
  ['md5', digest('md5')],
  ['normalisepath', normalizePath],
  ['normalisepathwin', normalizePathWin],
  ['normalizepath', normalizePath],
  ['normalizepathwin', normalizePathWin],
  ['parityeven7bit', parity('even')],
  ['parityodd7bit', parity('odd')],
  ['parityzero7bit', parity('zero')],
  ['removecomments', removeComments],
  ['removecommentschar', removeCommentsChar],
  ['removenulls', removeNulls],
  ['removewhitespace', removeWhitespace],
  ['replacecomments', replaceComments],
  ['replacenulls', replaceNulls],
  ['sha1', digest('sha1')],
  ['sqlhexdecode', sqlHexDecode],
  ['trim', (text) => trimRight(trimLeft(text))],
  ['trimleft', trimLeft],
  ['trimright', trimRight],
  ['uppercase', (text) => text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase())],
  ['urldecode', (text) => urlDecode(text)],
  ['urldecodeuni', urlDecodeUni],
  ['urlencode', urlEncode],
  ['utf8tounicode', utf8ToUnicode],
]);

/** Of ASCII alone: other bytes are parts of characters. */
function lowercase(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
