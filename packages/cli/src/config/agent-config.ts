import process from 'node:process';
import { configPaths } from './paths.ts';
import type { AgentConfig } from './read-config.ts';

/** The configuration that is meant, wherever it is. @throws UsageError, ConfigProblem */
export async function readAgentConfig(
  { config }: { readonly config?: readonly string[] | undefined },
  which: { readonly foreign: boolean },
  env: NodeJS.ProcessEnv = process.env,
): Promise<AgentConfig> {
  const files = configPaths(config, env, which);
  if (files.length === 0) return { files, settings: {}, endpoints: new Map() };
  // Loaded here, so that the agent starts without it where nothing is configured.
  const { readConfig } = await import('./read-config.ts');
  return readConfig(files);
}
