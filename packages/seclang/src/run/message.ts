/** Messages as rules see them. Every text is bytes, one to a character (Latin-1). */

export type HeaderLine = readonly [name: string, value: string];

export interface RequestMessage {
  readonly clientIp: string;
  readonly clientPort: number;
  readonly serverIp: string;
  readonly serverPort: number;
  readonly serverName: string;
  readonly method: string;
  /** As it was sent: path and query. */
  readonly target: string;
  /** `HTTP/1.1` */
  readonly version: string;
  readonly headers: readonly HeaderLine[];
  /** null = it is not looked at. */
  readonly body: string | null;
  /** Whether `body` is only its beginning. */
  readonly bodyCut: boolean;
  /** Unix milliseconds. */
  readonly now: number;
  readonly id: string;
}

export interface ResponseMessage {
  readonly status: number;
  readonly headers: readonly HeaderLine[];
  /** Decoded; null = it is not looked at. */
  readonly body: string | null;
}
