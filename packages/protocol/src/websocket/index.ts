export { WebSocketFrameReader, type WebSocketFrameSink } from './frame-reader.ts';
export {
  CLOSE as WebSocketCloseCode,
  OPCODE as WebSocketOpcode,
  webSocketClose,
  webSocketFrameHead,
} from './frames.ts';
export { isWebSocketKey, webSocketAccept } from './handshake.ts';
