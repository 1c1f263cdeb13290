import { realpath, stat } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ForwardFunction } from '@postern/agent';
import { messageOf } from '../problem.ts';
import { UsageError } from '../usage-error.ts';
import { answerFile } from './answer-file.ts';

/** Connections of visitors that are idle for longer end. */
const KEEP_ALIVE_MS = 60_000;

/**
 * `postern http file:///abs/folder`: a small file server inside this process (agent-and-ux.md §1.2). It reads below the
 * folder only, symbolic links out of it included in what is refused, and nothing whose name begins with a dot.
 * @throws UsageError when the folder is not there
 */
export async function serveFolder(target: string): Promise<ForwardFunction> {
  const root = await folderOf(target);
  const server = http.createServer((request, response) => {
    answerFile(root, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end(`${messageOf(error)}\n`);
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return (stream) => {
    stream.on('error', () => {});
    server.emit('connection', stream);
  };
}

async function folderOf(target: string): Promise<string> {
  let folder: string;
  try {
    folder = await realpath(fileURLToPath(target));
  } catch (cause) {
    const example = `file://${path.resolve('.')}`;
    throw new UsageError(`"${target}" cannot be served (${messageOf(cause)}). Write it as ${example}`, { cause });
  }
  if (!(await stat(folder)).isDirectory())
    throw new UsageError(`"${target}" is a file; name the folder that it is in.`);
  return folder;
}
