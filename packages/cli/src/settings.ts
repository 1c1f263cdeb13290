import path from 'node:path';
import process from 'node:process';
import type { RawSettings, ServerConfig } from '@postern/server';
import { CLONE_ROOT } from './package-root.ts';

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
  return resolveConfig(sources, { cwd: process.cwd(), cloneRoot: CLONE_ROOT, isTerminal: process.stderr.isTTY });
}
