/** Variables that have one value. */
import type { ScalarName } from './names.ts';
import type { Source } from './source.ts';

type Read = (source: Source) => string;

const nothing: Read = () => '';
/** Strict parsers of other servers tell these one by one; here MULTIPART_STRICT_ERROR tells them all. */
const never: Read = () => '0';
const client: Read = ({ request }) => request.message.clientIp;
const brokenBody: Read = ({ request }) => (request.problem === null ? '0' : '1');
const brokenBodyReason: Read = ({ request }) => request.problem ?? '';
const brokenParts: Read = ({ request }) => (request.multipart.problem === null ? '0' : '1');
const target: Read = ({ request }) => request.message.target;

function total(entries: Iterable<readonly [string, string]>): number {
  let sum = 0;
  for (const [name, value] of entries) sum += name.length + value.length;
  return sum;
}

export const READ: Readonly<Record<ScalarName, Read>> = {
  ARGS_COMBINED_SIZE: ({ request }) => String(total(request.query) + total(request.post)),
  AUTH_TYPE: ({ request }) => request.header('authorization').split(' ', 1)[0] ?? '',
  DURATION: never,
  FILES_COMBINED_SIZE: ({ request }) =>
    String(request.multipart.files.reduce((sum, { content }) => sum + content.length, 0)),
  FULL_REQUEST: ({ request }) => {
    const lines = request.message.headers.map(([name, value]) => `${name}: ${value}\r\n`);
    return `${request.line}\r\n${lines.join('')}\r\n${request.body}`;
  },
  FULL_REQUEST_LENGTH: ({ request }) => {
    const { headers } = request.message;
    return String(request.line.length + 4 + total(headers) + headers.length * 4 + request.body.length);
  },
  INBOUND_DATA_ERROR: never,
  MATCHED_VAR: ({ matched }) => matched.at(-1)?.value ?? '',
  MATCHED_VAR_NAME: ({ matched }) => matched.at(-1)?.name ?? '',
  MULTIPART_BOUNDARY_QUOTED: never,
  MULTIPART_BOUNDARY_WHITESPACE: never,
  MULTIPART_CRLF_LF_LINES: never,
  MULTIPART_DATA_AFTER: never,
  MULTIPART_DATA_BEFORE: never,
  MULTIPART_FILE_LIMIT_EXCEEDED: never,
  MULTIPART_HEADER_FOLDING: never,
  MULTIPART_INVALID_HEADER_FOLDING: never,
  MULTIPART_INVALID_PART: never,
  MULTIPART_INVALID_QUOTING: never,
  MULTIPART_LF_LINE: never,
  MULTIPART_MISSING_SEMICOLON: never,
  MULTIPART_STRICT_ERROR: brokenParts,
  MULTIPART_UNMATCHED_BOUNDARY: brokenParts,
  OUTBOUND_DATA_ERROR: never,
  PATH_INFO: nothing,
  QUERY_STRING: ({ request }) => request.queryString,
  REMOTE_ADDR: client,
  REMOTE_HOST: client,
  REMOTE_PORT: ({ request }) => String(request.message.clientPort),
  REMOTE_USER: nothing,
  REQBODY_ERROR: brokenBody,
  REQBODY_ERROR_MSG: brokenBodyReason,
  REQBODY_PROCESSOR: ({ request }) => request.processor,
  REQBODY_PROCESSOR_ERROR: brokenBody,
  REQBODY_PROCESSOR_ERROR_MSG: brokenBodyReason,
  REQUEST_BASENAME: ({ request }) => request.basename,
  // What is taken apart otherwise is looked at part by part.
  REQUEST_BODY: ({ request }) => (/^(?:URLENCODED)?$/.test(request.processor) ? request.body : ''),
  REQUEST_BODY_LENGTH: ({ request }) => String(request.body.length),
  REQUEST_FILENAME: ({ request }) => request.filename,
  REQUEST_LINE: ({ request }) => request.line,
  REQUEST_METHOD: ({ request }) => request.message.method,
  REQUEST_PROTOCOL: ({ request }) => request.message.version,
  REQUEST_URI: target,
  REQUEST_URI_RAW: target,
  RESPONSE_BODY: ({ response, responseBody }) => (responseBody ? (response?.body ?? '') : ''),
  RESPONSE_CONTENT_LENGTH: ({ response }) => String(response?.body?.length ?? 0),
  RESPONSE_CONTENT_TYPE: ({ response }) =>
    response?.headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '',
  RESPONSE_PROTOCOL: ({ request, response }) => (response === null ? '' : request.message.version),
  RESPONSE_STATUS: ({ response }) => (response === null ? '' : String(response.status)),
  SERVER_ADDR: ({ request }) => request.message.serverIp,
  SERVER_NAME: ({ request }) => request.message.serverName,
  SERVER_PORT: ({ request }) => String(request.message.serverPort),
  SESSIONID: nothing,
  STATUS_LINE: ({ request, response }) => (response === null ? '' : `${request.message.version} ${response.status}`),
  TIME: ({ request }) => new Date(request.message.now).toISOString().slice(11, 19),
  TIME_EPOCH: ({ request }) => String(Math.floor(request.message.now / 1000)),
  UNIQUE_ID: ({ request }) => request.message.id,
  USERAGENT_IP: client,
  USERID: nothing,
};
