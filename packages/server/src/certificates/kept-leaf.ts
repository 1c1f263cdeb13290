import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { TlsIdentity } from '@postern/link';
import type { SecretBox } from '@postern/store';
import { writeFileAtomically } from '../files.ts';

/** A leaf with what decides whether it still serves. */
export interface DatedLeaf {
  readonly names: readonly string[];
  readonly identity: TlsIdentity;
  /** Unix milliseconds. */
  readonly issuedAt: number;
}

const CONTEXT = 'agent.leaf';

/**
 * The certificate that agents get, over restarts. Making one anew takes a tenth of a second of CPU (most of it to load
 * what makes certificates), just when every agent that lost the server is at the door. Sealed as the authority's key is.
 */
export class KeptLeaf {
  readonly #file: string;
  readonly #box: SecretBox;

  constructor(directory: string, box: SecretBox) {
    this.#file = path.join(directory, CONTEXT);
    this.#box = box;
  }

  /** What was kept; null when there is nothing, or nothing that can be read. */
  read(): DatedLeaf | null {
    try {
      const value: unknown = JSON.parse(this.#box.open(readFileSync(this.#file, 'utf8').trim(), CONTEXT));
      return isDatedLeaf(value) ? value : null;
    } catch {
      return null;
    }
  }

  /** Never rejects: without it the next start makes a new one. */
  async write(leaf: DatedLeaf): Promise<void> {
    await writeFileAtomically(this.#file, `${this.#box.seal(JSON.stringify(leaf), CONTEXT)}\n`, 0o600).catch(() => {});
  }
}

function isDatedLeaf(value: unknown): value is DatedLeaf {
  const fields = fieldsOf(value);
  const names = fields.get('names');
  const identity = fieldsOf(fields.get('identity'));
  return (
    Array.isArray(names) &&
    names.every((name) => typeof name === 'string') &&
    typeof fields.get('issuedAt') === 'number' &&
    typeof identity.get('cert') === 'string' &&
    typeof identity.get('key') === 'string'
  );
}

function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}
