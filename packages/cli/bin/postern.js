#!/usr/bin/env node
/**
 * The `postern` command. Any Node from 20.19 on may start it; the work is done by Node 24 (see runtime.js).
 */
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { isRuntime, runEntry } from './runtime.js';

const entry = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'src', 'main.ts');
if (isRuntime()) await import(entry);
else runEntry(entry, process.argv.slice(2));
