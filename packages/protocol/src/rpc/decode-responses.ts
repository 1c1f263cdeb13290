/** Answers of a server, and its commands, decoded by an agent (agent-protocol.md §5). Throw PosternError 109. */
import { Fields, type JsonObject, isJsonObject } from './fields.ts';
import type { AuthResponse, BindResponse } from './types.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function decodeAuthResponse(value: unknown): AuthResponse {
  const fields = new Fields(value, 'AuthResp', 109);
  const extra = fields.object('Extra') ?? new Fields({}, 'AuthResp.Extra', 109);
  const response: Mutable<AuthResponse> = {
    version: fields.string('Version'),
    clientId: fields.string('ClientId'),
    cookie: extra.string('Cookie'),
    region: extra.string('Region'),
    accountName: extra.string('AccountName'),
    planName: extra.string('PlanName'),
    banner: extra.string('Banner'),
    sessionId: extra.string('AgentSessionID'),
  };
  const error = fields.string('Error');
  if (error !== '') response.error = error;
  return response;
}

export function decodeBindResponse(value: unknown): BindResponse {
  const fields = new Fields(value, 'BindResp', 109);
  const extra = fields.object('Extra') ?? new Fields({}, 'BindResp.Extra', 109);
  const opts: unknown = fields.raw('Opts') ?? {};
  const response: Mutable<BindResponse> = {
    id: fields.string('Id'),
    url: fields.string('URL'),
    proto: fields.string('Proto'),
    opts: isJsonObject(opts) ? opts : ({} satisfies JsonObject),
    token: extra.string('Token'),
    tunnelId: extra.string('TunnelID'),
  };
  const error = fields.string('Error');
  if (error !== '') response.error = error;
  return response;
}

export function decodeLabelBindResponse(value: unknown): { readonly id: string; readonly error: string } {
  const fields = new Fields(value, 'StartTunnelWithLabelResp', 109);
  return { id: fields.string('Id'), error: fields.string('Error') };
}

/** The `Error` of an answer that has nothing else to say; '' = done. */
export function decodeErrorResponse(value: unknown): string {
  return new Fields(value, 'Resp', 109).string('Error');
}

export function decodeServerInfoResponse(value: unknown): { readonly region: string } {
  return { region: new Fields(value, 'SrvInfoResp', 109).string('Region') };
}

export function decodeUpdate(value: unknown): { readonly version: string; readonly permitMajorVersion: boolean } {
  const fields = new Fields(value, 'Update', 109);
  return { version: fields.string('Version'), permitMajorVersion: fields.boolean('PermitMajorVersion') };
}

export function decodeStopTunnel(value: unknown): {
  readonly id: string;
  readonly message: string;
  readonly errorCode: string | null;
} {
  const fields = new Fields(value, 'StopTunnel', 109);
  return {
    id: fields.string('Id'),
    message: fields.string('Message'),
    errorCode: fields.stringOrNull('ErrorCode'),
  };
}

/** Splits an `Error` text into its words and its code, '' when there is none (agent-protocol.md §4.1). */
export function parseErrorText(text: string): { readonly message: string; readonly code: string } {
  const code = /ERR_NGROK_\d+/.exec(text)?.[0] ?? '';
  const lines = text.split(/\r?\n/).filter((line) => !line.trimStart().startsWith('ERR_NGROK_'));
  return { message: lines.join('\n').trim(), code };
}
