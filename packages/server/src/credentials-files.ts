import path from 'node:path';
import type { Control, FirstCredentials } from '@postern/control';
import { readIfThere, writeFileAtomically } from './files.ts';

/** The first credentials, as files that only this user can read (DESIGN §1, Files in the data directory). */
export interface CredentialFiles {
  readonly apiKeyPath: string;
  readonly authtokenPath: string;
}

export interface FirstTokens {
  readonly apiKey: string;
  readonly authtoken: string;
}

export function credentialFiles(dataDir: string): CredentialFiles {
  return { apiKeyPath: path.join(dataDir, 'api_key'), authtokenPath: path.join(dataDir, 'authtoken') };
}

/**
 * The tokens of the first API key and authtoken: made on first run, on `--reset-credentials`, and when a file of them was
 * removed, because the database keeps only hashes.
 */
export async function firstTokens(
  control: Pick<Control, 'bootstrap' | 'resetCredentials'>,
  files: CredentialFiles,
  reset: boolean,
): Promise<FirstTokens> {
  const made = issued(reset ? await control.resetCredentials() : await control.bootstrap());
  if (made === null) {
    const kept = await readTokens(files);
    if (kept !== null) return kept;
  }
  const tokens = made ?? issued(await control.resetCredentials());
  if (tokens === null) throw new Error('no first credentials were made');
  await Promise.all([
    writeFileAtomically(files.apiKeyPath, `${tokens.apiKey}\n`, 0o600),
    writeFileAtomically(files.authtokenPath, `${tokens.authtoken}\n`, 0o600),
  ]);
  return tokens;
}

/** null when they existed already: they cannot be shown twice. */
function issued({ apiKey, authtoken }: FirstCredentials): FirstTokens | null {
  return apiKey === null || authtoken === null ? null : { apiKey, authtoken };
}

async function readTokens(files: CredentialFiles): Promise<FirstTokens | null> {
  const [apiKey, authtoken] = await Promise.all([readIfThere(files.apiKeyPath), readIfThere(files.authtokenPath)]);
  if (apiKey === null || authtoken === null) return null;
  return { apiKey: apiKey.trim(), authtoken: authtoken.trim() };
}
