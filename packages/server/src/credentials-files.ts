import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomically } from './files.ts';

/** The first credentials, as files that only this user can read (DESIGN §1, Files in the data directory). */
export interface CredentialFiles {
  readonly apiKeyPath: string;
  readonly authtokenPath: string;
}

export function credentialFiles(dataDir: string): CredentialFiles {
  return { apiKeyPath: path.join(dataDir, 'api_key'), authtokenPath: path.join(dataDir, 'authtoken') };
}

export async function writeCredentials(
  files: CredentialFiles,
  tokens: { readonly apiKey: string; readonly authtoken: string },
): Promise<void> {
  await Promise.all([
    writeFileAtomically(files.apiKeyPath, `${tokens.apiKey}\n`, 0o600),
    writeFileAtomically(files.authtokenPath, `${tokens.authtoken}\n`, 0o600),
  ]);
}

export async function readCredentials(files: CredentialFiles): Promise<{ apiKey: string; authtoken: string } | null> {
  try {
    const [apiKey, authtoken] = await Promise.all([
      readFile(files.apiKeyPath, 'utf8'),
      readFile(files.authtokenPath, 'utf8'),
    ]);
    return { apiKey: apiKey.trim(), authtoken: authtoken.trim() };
  } catch {
    return null;
  }
}
