/**
 * Secrets at rest. One 32-byte key per installation; each use has a key of its own derived from it (HKDF-SHA256), so
 * that nothing signed says anything about what is sealed.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes as systemRandom } from 'node:crypto';
import type { SecretBox } from './types.ts';

export const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT = 'v1';

/** Names a key without telling anything of it. */
export function keyIdOf(key: Uint8Array): string {
  return derive(key, 'key id', 8).toString('hex');
}

/**
 * Sealed text is `v1.<key id>.<base64url of iv, ciphertext and tag>`, AES-256-GCM with the context as additional data:
 * moved to another column or row it does not open.
 */
export function createSecretBox(key: Uint8Array, randomBytes: (size: number) => Uint8Array = systemRandom): SecretBox {
  if (key.length !== KEY_BYTES) throw new TypeError(`an encryption key has ${KEY_BYTES} bytes, not ${key.length}`);
  const sealing = derive(key, 'seal', KEY_BYTES);
  const signing = derive(key, 'sign', KEY_BYTES);
  const keyId = keyIdOf(key);

  return {
    seal(plaintext, context) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', sealing, iv).setAAD(Buffer.from(context));
      const sealed = Buffer.concat([iv, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `${FORMAT}.${keyId}.${sealed.toString('base64url')}`;
    },
    open(sealed, context) {
      const [format, sealedWith, body = '', ...rest] = sealed.split('.');
      const bytes = Buffer.from(body, 'base64url');
      if (format !== FORMAT || rest.length > 0 || bytes.length < IV_BYTES + TAG_BYTES) {
        throw new SecretUnreadable('this is no sealed secret');
      }
      if (sealedWith !== keyId) throw new SecretUnreadable('this secret was sealed with another encryption key');
      const decipher = createDecipheriv('aes-256-gcm', sealing, bytes.subarray(0, IV_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-TAG_BYTES));
      try {
        return decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
      } catch {
        throw new SecretUnreadable('this secret was changed, or belongs to another place');
      }
    },
    sign(payload) {
      return createHmac('sha256', signing).update(payload).digest('base64url');
    },
  };
}

/** Thrown by SecretBox.open; says nothing of the secret. */
export class SecretUnreadable extends Error {
  override readonly name = 'SecretUnreadable';
}

function derive(key: Uint8Array, purpose: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `postern ${purpose} ${FORMAT}`, length));
}
