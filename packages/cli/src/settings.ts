import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { RawSettings, ServerConfig } from '@postern/server';

/**
 * What the server would run with: flags, environment, file, default. Other commands use it to find the same data folder.
 * @throws ConfigError
 */
export async function readSettings(flags: RawSettings, configFile: string | undefined): Promise<ServerConfig> {
  // Loaded here, so that the other commands start without it.
  const { fromEnvironment, fromFile, resolveConfig } = await import('@postern/server');
  const file = configFile ?? process.env['POSTERN_CONFIG'] ?? '';
  const sources: RawSettings[] = [flags, fromEnvironment(process.env)];
  if (file !== '') sources.push(fromFile(path.resolve(file)));
  return resolveConfig(sources, { cwd: process.cwd(), cloneRoot: cloneRoot(), isTerminal: process.stderr.isTTY });
}

/** Root of the clone that this file is part of, or null when it was installed from a package. */
function cloneRoot(): string | null {
  const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
  return existsSync(path.join(root, 'packages', 'cli', 'src')) ? root : null;
}
