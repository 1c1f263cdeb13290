/** hash.* and the method forms (traffic-policy.md §7): hex unless asked for base64. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Failure, type Result } from '../value.ts';
import { crc64, xxhash64 } from './checksums.ts';
import { define, type FunctionDef } from './definition.ts';

const BAD_FORMAT = new Failure("a hash is written as 'hex' or 'base64'");

const digest = (algorithm: string) => (text: string) => createHash(algorithm).update(text, 'utf8').digest();

const HASHES: Readonly<Record<string, (text: string) => Buffer>> = {
  md5: digest('md5'),
  sha1: digest('sha1'),
  sha256: digest('sha256'),
  sha512: digest('sha512'),
  crc32(text) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(crc32(text));
    return bytes;
  },
  crc64: (text) => crc64(Buffer.from(text, 'utf8')),
  xxhash64: (text) => xxhash64(Buffer.from(text, 'utf8')),
};

function written(bytes: Buffer, format: string): Result {
  return format === 'hex' || format === 'base64' ? bytes.toString(format) : BAD_FORMAT;
}

export const HASH_FUNCTIONS: readonly FunctionDef[] = Object.entries(HASHES).flatMap(([name, hash]) => [
  define('global', `hash.${name}`, ['string'], 'string', (_, text) => written(hash(text), 'hex')),
  define('global', `hash.${name}`, ['string', 'string'], 'string', (_, text, format) => written(hash(text), format)),
  define('method', name, ['string'], 'string', (_, text) => written(hash(text), 'hex')),
  define('method', name, ['string', 'string'], 'string', (_, text, format) => written(hash(text), format)),
]);
