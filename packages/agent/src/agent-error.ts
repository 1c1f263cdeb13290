import { parseErrorText } from '@postern/protocol';

/**
 * Answers to the first Auth that no waiting can change: shape of the message, authtoken unknown, revoked or missing,
 * an API key in its place, agent too old (agent-protocol.md §11).
 */
const FATAL_CODES: ReadonlySet<string> = new Set(
  [100, 105, 106, 107, 109, 120, 121, 300, 4018, 90050].map((number) => `ERR_NGROK_${number}`),
);

/** What goes wrong between this agent and its server, in words for the person who runs it. */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  /** `ERR_NGROK_<n>` when the server said so, else ''. */
  readonly code: string;
  /** No waiting changes it: whoever runs the agent, or the server, has to. */
  readonly fatal: boolean;

  constructor(message: string, options: { code?: string; cause?: unknown; fatal?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code ?? '';
    this.fatal = options.fatal ?? FATAL_CODES.has(this.code);
  }

  /** From the `Error` text of an answer (agent-protocol.md §4.1). */
  static fromText(text: string): AgentError {
    const { message, code } = parseErrorText(text);
    return new AgentError(message === '' ? code : message, { code });
  }

  static from(error: unknown): AgentError {
    if (error instanceof AgentError) return error;
    return new AgentError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
