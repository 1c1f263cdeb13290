/** Heads that come over HTTP/2: what is accepted becomes an HTTP/1 head that is read the same. */
import {
  createRequestParser,
  createResponseParser,
  encodeRequestHead,
  encodeResponseHead,
  encodeTrailers,
  fieldsForH2,
  type Framing,
  type RawFields,
  validateH2RequestHead,
  validateH2ResponseHead,
  validateH2Trailers,
} from '@postern/protocol';
import type { Dice } from '@postern/edge/testing/dice';
import { materialOf, mutateText } from './mutate.ts';
import { plainHead } from './plain-head.ts';
import { type FuzzTarget, fuzzTarget, must, mustEqual } from './target.ts';

type Block = readonly string[];

const REQUESTS: readonly [Block, ...Block[]] = [
  [':method', 'GET', ':scheme', 'https', ':authority', 'a.test', ':path', '/'],
  [':method', 'GET', ':scheme', 'http', ':path', '/a?b=c', 'host', 'a.test:8080', 'te', 'trailers'],
  [':method', 'POST', ':scheme', 'https', ':authority', 'a.test', ':path', '/', 'content-length', '5', 'x', ''],
  [':method', 'OPTIONS', ':scheme', 'https', ':authority', '[::1]:443', ':path', '*', 'expect', '100-continue'],
  [':method', 'GET', ':scheme', 'https', ':authority', 'a.test', ':path', '/', 'cookie', 'a=b', 'cookie', 'c=d'],
  [':method', 'GET', ':scheme', 'https', ':authority', 'a.test:443', ':path', '/', 'host', 'a.test', 'x', '\xe4'],
  [':method', 'CONNECT', ':authority', 'a.test:443'],
  [':method', 'CONNECT', ':protocol', 'websocket', ':scheme', 'https', ':authority', 'a.test', ':path', '/'],
  [':method', 'GET', ':scheme', 'https', ':authority', 'a.test', ':path', '/', 'transfer-encoding', 'chunked'],
];
const RESPONSES: readonly [Block, ...Block[]] = [
  [':status', '200', 'content-type', 'text/plain'],
  [':status', '200', 'content-length', '5', 'set-cookie', 'a=b', 'set-cookie', 'c=d'],
  [':status', '204', 'date', 'now'],
  [':status', '304', 'content-length', '5'],
  [':status', '103', 'link', '</a>'],
  [':status', '101', 'upgrade', 'websocket'],
  [':status', '502', 'x', 'y', 'connection', 'close'],
];
const TRAILERS: readonly [Block, ...Block[]] = [
  ['x-sum', '11'],
  ['grpc-status', '0', 'grpc-message', 'fine'],
  ['content-length', '5'],
  [':status', '200'],
];
const WORDS = materialOf(
  ['GET', '/a?b', 'a.test:443', '200', 'x-name', 'text/plain; q=1'],
  ['\r\n', '\n', '\0', ' ', '\t', ':', '@', '#', '*', '/', '_', 'https://', 'b.test', 'X: y\r\n', ' HTTP/1.1\r\n', 'ä'],
);
const PAIRS: readonly [Block, ...Block[]] = [
  [':method', 'GET'],
  [':path', '/x'],
  [':authority', 'b.test'],
  [':status', '200'],
  [':unknown', 'x'],
  ['host', 'b.test'],
  ['content-length', '0'],
  ['content-length', '5'],
  ['content_length', '5'],
  ['transfer-encoding', 'chunked'],
  ['connection', 'x-name'],
  ['te', 'gzip'],
  ['Upper', 'case'],
  ['', 'empty'],
  ['x y', 'z'],
  ['x', ' padded '],
  ['x', 'a\r\nb: c'],
];

type Kind = 'request' | 'response' | 'trailers';

interface Case {
  readonly kind: Kind;
  readonly raw: Block;
  readonly endStream: boolean;
  readonly method: string;
}

function mutatedBlock(from: Block, dice: Dice): Block {
  const raw = [...from];
  if (dice.once(8)) return raw;
  for (let left = 1 + dice.below(4); left > 0; left--) {
    const pair = dice.below(raw.length / 2 + 1) * 2;
    switch (dice.below(6)) {
      case 0:
        raw.splice(pair, 2);
        break;
      case 1:
        raw.splice(pair, 0, ...dice.pick(PAIRS));
        break;
      case 2:
        raw.splice(pair, 0, ...raw.slice(pair, pair + 2));
        break;
      case 3:
        // A block with an odd number of texts comes from no decoder, but must not be believed either.
        if (dice.once(8)) raw.splice(pair, 1);
        else raw.push(...raw.splice(pair, 2));
        break;
      default: {
        const at = dice.below(raw.length);
        if (raw.length > 0) raw[at] = mutateText(raw[at] ?? '', WORDS, dice);
      }
    }
  }
  return raw;
}

export const http2HeadTarget: FuzzTarget = fuzzTarget<Case>(
  'http2-heads',
  (dice) => {
    const kind = dice.pick<Kind>(['request', 'request', 'response', 'trailers']);
    const from = kind === 'request' ? REQUESTS : kind === 'response' ? RESPONSES : TRAILERS;
    return {
      kind,
      raw: mutatedBlock(dice.pick(from), dice),
      endStream: dice.once(2),
      method: dice.pick(['GET', 'HEAD', 'POST']),
    };
  },
  (one) => {
    if (one.kind === 'request') checkRequest(one);
    else if (one.kind === 'response') checkResponse(one);
    else checkTrailers(one);
  },
  (one) => JSON.stringify(one),
);

function checkRequest({ raw, endStream }: Case): void {
  const result = validateH2RequestHead(raw, endStream);
  if (result.failure !== null) return;
  const { head } = result;
  const fields = framed(head.fields, head.framing);
  const heads: unknown[] = [];
  const parser = createRequestParser({ ...NOTHING, onHead: (again) => heads.push(plainHead(again)) });
  const bytes = encodeRequestHead(head.method, head.target, fields);
  const taken = parser.execute(bytes, 0, bytes.length);
  must(parser.failure === null && taken === bytes.length, `HTTP/1 refuses the head: ${parser.failure?.reason}`);
  mustEqual(heads, [plainHead({ ...head, fields })], 'another head in HTTP/1');
}

function checkResponse({ raw, endStream, method }: Case): void {
  const result = validateH2ResponseHead(raw, endStream, method);
  if (result.failure !== null) return;
  const { head } = result;
  // A body of unknown length in HTTP/1 needs its framing in the head; a length that nobody declared stays unsaid.
  const undeclared = head.framing.kind === 'length' && !names(head.fields).includes('content-length');
  const fields = undeclared ? [...head.fields, 'content-length', '0'] : framed(head.fields, head.framing);
  const heads: { readonly framing: Framing; readonly status: number; readonly fields: RawFields }[] = [];
  const parser = createResponseParser({ ...NOTHING, onHead: (again) => heads.push(again) });
  parser.expect(method);
  const bytes = encodeResponseHead(head.status, head.reason, fields);
  parser.execute(bytes, 0, bytes.length);
  must(parser.failure === null, `HTTP/1 refuses the head: ${parser.failure?.reason}`);
  must(heads.length === 1, 'not one head in HTTP/1');
  mustEqual(heads[0]?.framing, head.framing, 'another framing in HTTP/1');
  mustEqual(heads[0]?.fields, fields, 'other fields in HTTP/1');
  must(heads[0]?.status === head.status, 'another status in HTTP/1');
  const back = validateH2ResponseHead([':status', String(head.status), ...fieldsForH2(head.fields)], endStream, method);
  must(back.failure === null, `HTTP/2 refuses its own head: ${back.failure?.reason}`);
}

function checkTrailers({ raw }: Case): void {
  const result = validateH2Trailers(raw);
  if (result.failure !== null || result.fields.length === 0) return;
  const seen: RawFields[] = [];
  let ended = false;
  const parser = createRequestParser({
    ...NOTHING,
    onTrailers: (fields) => void seen.push(fields),
    onEnd: () => void (ended = true),
  });
  const head = encodeRequestHead('POST', '/', ['host', 'a.test', 'transfer-encoding', 'chunked']);
  const bytes = Buffer.concat([head, encodeTrailers(result.fields)]);
  parser.execute(bytes, 0, bytes.length);
  must(parser.failure === null && ended, `HTTP/1 refuses the trailers: ${parser.failure?.reason}`);
  mustEqual(seen, [result.fields], 'other trailers in HTTP/1');
}

const NOTHING = { onHead() {}, onBody() {}, onTrailers() {}, onEnd() {} };

function names(fields: RawFields): string[] {
  return fields.filter((_, index) => index % 2 === 0);
}

function framed(fields: RawFields, framing: Framing): RawFields {
  return framing.kind === 'chunked' ? [...fields, 'transfer-encoding', 'chunked'] : fields;
}
