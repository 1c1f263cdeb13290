/** What a client is to the suite: where its program comes from and what is asked of it. */
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import type { Report } from './report.ts';

/** The suite's folder. */
export const CLIENTS = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

export interface Client {
  /** As `--only` names it; several clients may share a language. */
  readonly language: string;
  /** A part of the suite across languages, which `--only` names, too. */
  readonly part?: 'agents' | 'api';
  readonly name: string;
  /** Programs that must be on PATH. */
  readonly tools: readonly string[];
  /** Builds what it needs (kept between runs), then adds to the report what came of each of its duties. */
  run(report: Report): Promise<void>;
}
