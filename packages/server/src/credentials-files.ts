import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Control } from '@postern/control';
import { writeFileAtomically } from './files.ts';

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
 * The tokens of the first API key and authtoken: made on first run, on `--reset-credentials`, and when their files were
 * removed, because the database keeps only hashes.
 */
export async function firstTokens(control: Control, files: CredentialFiles, reset: boolean): Promise<FirstTokens> {
  const made = reset ? await control.resetCredentials() : await control.bootstrap();
  if (made.apiKey !== null && made.authtoken !== null) {
    return writeTokens(files, { apiKey: made.apiKey, authtoken: made.authtoken });
  }
  const kept = await readTokens(files);
  if (kept !== null) return kept;
  const fresh = await control.resetCredentials();
  return writeTokens(files, { apiKey: fresh.apiKey ?? '', authtoken: fresh.authtoken ?? '' });
}

async function writeTokens(files: CredentialFiles, tokens: FirstTokens): Promise<FirstTokens> {
  await Promise.all([
    writeFileAtomically(files.apiKeyPath, `${tokens.apiKey}\n`, 0o600),
    writeFileAtomically(files.authtokenPath, `${tokens.authtoken}\n`, 0o600),
  ]);
  return tokens;
}

async function readTokens(files: CredentialFiles): Promise<FirstTokens | null> {
  try {
    const [apiKey, authtoken] = await Promise.all([
      readFile(files.apiKeyPath, 'utf8'),
      readFile(files.authtokenPath, 'utf8'),
    ]);
    return { apiKey: apiKey.trim(), authtoken: authtoken.trim() };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
