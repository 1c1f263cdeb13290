import type { RequestView, ResponseView } from '../../runtime.ts';
import { readConfig } from '../../schema/problems.ts';
import { GO_ON, type ActionDefinition } from '../action.ts';
import { negotiate, type Coding } from './negotiate.ts';
import { compressResponseAction, compressResponseSchema } from './schema.ts';

/** `compress` (LZW) may be configured; it is never negotiated, and no browser asks for it. */
const MAKES: ReadonlySet<string> = new Set(['gzip', 'deflate', 'br']);

/** Compresses what the visitor can take compressed, as it streams through. */
export const compressResponse: ActionDefinition = {
  descriptor: compressResponseAction,
  compile(config, env) {
    const { algorithms } = readConfig(compressResponseSchema, config, env.path);
    const offered = algorithms.filter((name): name is Coding => MAKES.has(name));
    return {
      terminates: false,
      run({ context }) {
        const { req, res } = context;
        if (req === null || res === null) return GO_ON;
        const already = isEncoded(res);
        const coding = already || !hasPlainBody(req, res) ? null : negotiate(acceptEncoding(req), offered);
        if (env.recorder.on) {
          env.recorder.record(context, () => ({ already_compressed: already, negotiated_algorithm: coding ?? '' }));
        }
        if (coding !== null) encode(res, coding);
        return GO_ON;
      },
    };
  },
};

function acceptEncoding(req: RequestView): string {
  const first = req.headers.get('accept-encoding');
  return first === undefined ? '' : req.headers.getAll('accept-encoding').join(',');
}

function isEncoded(res: ResponseView): boolean {
  const coding = res.headers.get('content-encoding');
  return coding !== undefined && coding.trim() !== '' && coding.trim().toLowerCase() !== 'identity';
}

/** Parts and empty answers keep their bytes; event streams and gRPC must not wait in a compressor. */
function hasPlainBody(req: RequestView, res: ResponseView): boolean {
  const status = res.statusCode;
  if (req.method === 'HEAD' || status < 200 || status === 204 || status === 206 || status === 304) return false;
  if (res.contentLength === 0 || res.headers.has('content-range')) return false;
  const type = res.headers.get('content-type') ?? '';
  if (/^\s*(?:text\/event-stream|application\/grpc)/i.test(type)) return false;
  return !/\bno-transform\b/i.test(res.headers.get('cache-control') ?? '');
}

function encode(res: ResponseView, coding: Coding): void {
  const { headers } = res;
  headers.delete('content-length');
  headers.delete('accept-ranges');
  headers.set('content-encoding', coding);
  const vary = headers.getAll('vary').join(',').toLowerCase();
  if (!/(?:^|[\s,])(?:\*|accept-encoding)(?:$|[\s,])/.test(vary)) headers.append('vary', 'accept-encoding');
  const etag = headers.get('etag');
  // The bytes differ now: the tag may only promise the same meaning.
  if (etag !== undefined && !etag.startsWith('W/')) headers.set('etag', `W/${etag}`);
  res.encodeBody(coding);
}
