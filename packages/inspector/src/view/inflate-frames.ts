import zlib from 'node:zlib';
import { bytesOf } from '../record/blocks.ts';
import type { Exchange, Message } from '../record/exchange.ts';
import { fieldOf, readWireMessage } from './wire-message.ts';

/** Of one message, and of all that are unfolded for one look: a few bytes can stand for gigabytes. */
const MOST_OF_ONE = 1024 * 1024;
const MOST_OF_ALL = 4 * 1024 * 1024;
/** How far back a message may refer into those before it (RFC 7692 §7.1.2). */
const WINDOW = 32_768;
/** What senders leave out at the end of a message (RFC 7692 §7.2.2). */
const TAIL = Buffer.from([0, 0, 255, 255]);
const FIRST_CONTROL = 8;

/** By its first frame: the message unfolded, or why it is not. */
export type Inflated = ReadonlyMap<Message, Buffer | string>;

/** Unfolds the messages of a WebSocket that are deflated, as far as they are kept and fit. */
export function inflateFrames(exchange: Exchange): Inflated {
  const result = new Map<Message, Buffer | string>();
  if (!exchange.messages.some(({ deflated }) => deflated)) return result;
  const { fields } = readWireMessage(bytesOf(exchange.response.pieces));
  const agreed = (fieldOf(fields, 'sec-websocket-extensions') ?? '').toLowerCase();
  let left = MOST_OF_ALL;
  for (const fromVisitor of [true, false]) {
    const forgets = agreed.includes(fromVisitor ? 'client_no_context_takeover' : 'server_no_context_takeover');
    const frames = exchange.messages.filter((one) => one.fromVisitor === fromVisitor && one.opcode < FIRST_CONTROL);
    let window: Buffer | undefined = exchange.messages[0]?.number === 1 ? Buffer.alloc(0) : undefined;
    for (const [first, ...more] of messagesOf(frames)) {
      if (first?.deflated !== true) continue;
      const unfolded = inflate([first, ...more], forgets ? Buffer.alloc(0) : window, Math.min(left, MOST_OF_ONE));
      result.set(first, unfolded);
      if (typeof unfolded === 'string') window = undefined;
      else {
        left -= unfolded.length;
        window = window && Buffer.concat([window, unfolded]).subarray(-WINDOW);
      }
    }
  }
  return result;
}

/** Frames, put together: each message ends with the frame that says so, the last maybe with none. */
function messagesOf(frames: readonly Message[]): readonly (readonly Message[])[] {
  const messages: Message[][] = [];
  let isOpen = false;
  for (const frame of frames) {
    if (isOpen) messages.at(-1)?.push(frame);
    else messages.push([frame]);
    isOpen = !frame.final;
  }
  return messages;
}

/** @param window what came before it; undefined = that is not known */
function inflate(frames: readonly Message[], window: Buffer | undefined, most: number): Buffer | string {
  if (frames.some(({ keptBytes, bytes }) => keptBytes < bytes)) return 'too large to be kept whole';
  if (frames.at(-1)?.final !== true) return 'not whole yet';
  if (most <= 0) return 'more is unfolded already than one look may';
  const bytes = Buffer.concat([...frames.map(({ pieces }) => bytesOf(pieces)), TAIL]);
  try {
    return zlib.inflateRawSync(bytes, {
      finishFlush: zlib.constants.Z_SYNC_FLUSH,
      maxOutputLength: most,
      ...(window === undefined || window.length === 0 ? {} : { dictionary: window }),
    });
  } catch (error) {
    if (error instanceof RangeError) return `unfolds to more than ${most} bytes`;
    return window === undefined ? 'it refers to one before it that is not kept' : 'it cannot be unfolded';
  }
}
