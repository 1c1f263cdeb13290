/** Writes one response after another in HTTP/1 form: framing for the visitor's version, chunks, trailers. */
import type { PosternError } from '@postern/errors';
import { chunkHeader, encodeResponseHead, encodeTrailers, LAST_CHUNK, type RawFields } from '@postern/protocol';
import type { SocketWriter } from '@postern/sockets';
import { renderPage } from '../answers/pages.ts';
import { hasNoBody } from '../exchange/fields.ts';
import type { ResponseDraft } from '../exchange/message.ts';

export class Http1Response {
  /** Only the end of the connection can tell where the body ends (HTTP/1.0). */
  untilClose = false;
  private readonly writer: SocketWriter;
  private chunked = false;
  private bodiless = false;
  private trailer: RawFields | null = null;

  constructor(writer: SocketWriter) {
    this.writer = writer;
  }

  /** @param minor of the visitor's version @param last `connection: close` */
  head(minor: 0 | 1, method: string, draft: ResponseDraft, last: boolean): void {
    const { status, framing } = draft;
    this.bodiless = method === 'HEAD' || hasNoBody(status);
    const open = !this.bodiless && (framing.kind === 'chunked' || framing.kind === 'close');
    this.chunked = open && minor === 1;
    this.untilClose = open && minor === 0;
    this.trailer = null;
    this.writer.writeText(draft.headText(this.chunked, last));
  }

  body(chunk: Buffer, start: number, end: number): void {
    if (this.bodiless || start === end) return;
    if (!this.chunked) {
      this.writer.write(chunk, start, end);
      return;
    }
    this.writer.writeText(chunkHeader(end - start));
    this.writer.write(chunk, start, end);
    this.writer.writeText('\r\n');
  }

  trailers(fields: RawFields): void {
    this.trailer = fields;
  }

  /** A page of ours for what no request stands for, and the last answer. */
  page(error: PosternError, status: number): void {
    const page = renderPage(error, '', [['Connection', 'close']], status);
    this.writer.write(encodeResponseHead(page.status, error.title, page.fields));
    this.writer.write(page.body);
  }

  /** The response leaves now. */
  end(): void {
    if (this.chunked) this.writer.write(this.trailer === null ? LAST_CHUNK : encodeTrailers(this.trailer));
    this.writer.flush();
  }
}
