import path from 'node:path';
import type { Control } from '@postern/control';
import { readIfThere, writeFileAtomically } from './files.ts';

/** The first credentials, as files that only this user can read (README.md, "State is in the data folder"). */
export interface CredentialFiles {
  readonly apiKeyPath: string;
  readonly authtokenPath: string;
}

/** null = the file is not there; who has the token elsewhere comes in with it as before. */
export interface FirstTokens {
  readonly apiKey: string | null;
  readonly authtoken: string | null;
}

/** Where an operator reads it. */
export interface Warning {
  warn(fields: object, message: string): void;
}

const REMEDY =
  'Put the file back, or start once with --reset-credentials, which makes both anew: the old ones then stop working.';

export function credentialFiles(dataDir: string): CredentialFiles {
  return { apiKeyPath: path.join(dataDir, 'api_key'), authtokenPath: path.join(dataDir, 'authtoken') };
}

/**
 * The tokens of the first API key and authtoken: made on the first run and on `--reset-credentials`, written when they are
 * made and at no other time. A file that was lost, as in a folder where a backup was restored, changes nothing that is
 * stored: the database keeps only hashes, and clients elsewhere go on with what they have.
 */
export async function firstTokens(
  control: Pick<Control, 'bootstrap' | 'resetCredentials' | 'knows'>,
  files: CredentialFiles,
  reset: boolean,
  log: Warning,
): Promise<FirstTokens> {
  const keep = async (tokens: { readonly apiKey: string; readonly authtoken: string }): Promise<void> => {
    await Promise.all([
      writeFileAtomically(files.apiKeyPath, `${tokens.apiKey}\n`, 0o600),
      writeFileAtomically(files.authtokenPath, `${tokens.authtoken}\n`, 0o600),
    ]);
  };
  const made = reset ? await control.resetCredentials(keep) : await control.bootstrap(keep);
  if (made !== null) return made;
  const kept = async (file: string, what: string): Promise<string | null> => {
    const token = (await readIfThere(file))?.trim() ?? null;
    if (token === null) log.warn({ file }, `the file with the ${what} is missing; what is stored stays. ${REMEDY}`);
    else if (!(await control.knows(token)))
      log.warn({ file }, `the ${what} in the file is not one of this database. ${REMEDY}`);
    return token;
  };
  return {
    apiKey: await kept(files.apiKeyPath, 'first API key'),
    authtoken: await kept(files.authtokenPath, 'first authtoken'),
  };
}
