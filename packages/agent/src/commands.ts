import { acceptRpc, decodeStopTunnel, encodeErrorResponse, StreamType, type MuxStream } from '@postern/protocol';
import { AgentError } from './agent-error.ts';

const COMMAND_BYTES = 65_536;

export interface CommandTarget {
  /** Asked to stop, or to restart; the answer has left. */
  stop(): void;
  restart(): void;
  /** The server ended a listener. */
  stopListener(id: string, error: AgentError): void;
}

/** Takes a command of the server's (agent-protocol.md §5.8). Sets `stream.handler`. */
export function acceptCommand(stream: MuxStream, target: CommandTarget): void {
  acceptRpc(stream, COMMAND_BYTES, {
    onMessage: (value) => obey(stream, value, target),
    onFailure: (error) => stream.end(encodeErrorResponse(error.message)),
  });
}

function obey(stream: MuxStream, value: unknown, target: CommandTarget): void {
  switch (stream.type) {
    case StreamType.stop:
      stream.end(encodeErrorResponse());
      setImmediate(() => target.stop());
      return;
    case StreamType.restart:
      stream.end(encodeErrorResponse());
      setImmediate(() => target.restart());
      return;
    case StreamType.update:
      stream.end(encodeErrorResponse('This agent is updated with npm.'));
      return;
    case StreamType.stopTunnel:
      stream.end();
      stopListener(value, target);
      return;
    default:
      stream.end(encodeErrorResponse(`This agent does not know messages of type ${stream.type}.`));
  }
}

function stopListener(value: unknown, target: CommandTarget): void {
  try {
    const { id, message, errorCode } = decodeStopTunnel(value);
    const words = message === '' ? 'the server ended this listener' : message;
    target.stopListener(id, new AgentError(words, { code: errorCode ?? '' }));
  } catch {
    // A command that names no listener stops none.
  }
}
