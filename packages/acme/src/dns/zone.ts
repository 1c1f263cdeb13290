import { type Answer, CODE, type Question, readQuestion, TYPE, writeAnswer } from './packet.ts';

/** Of one name: base name and wildcard, of orders that overlap. */
const MOST_TEXTS = 16;
/** Longer questions are none that is answered. */
export const MOST_QUESTION = 512;
const PLAIN_BYTES = 512;
const NOTHING: Answer = { code: CODE.ok, texts: [], soa: null, ns: null, truncated: false };

/** The records that there are: of `_acme-challenge` names, and what any server has to say of its zone. No sockets, no clock. */
export class Zone {
  readonly #zones: readonly string[];
  readonly #texts = new Map<string, readonly string[]>();

  /** @param zones `_acme-challenge.<base domain>`, lower case */
  constructor(zones: readonly string[]) {
    this.#zones = zones;
  }

  add(name: string, value: string): void {
    this.#texts.set(name, [...(this.#texts.get(name) ?? []), value].slice(-MOST_TEXTS));
  }

  remove(name: string, value: string): void {
    const left = (this.#texts.get(name) ?? []).filter((text) => text !== value);
    if (left.length === 0) this.#texts.delete(name);
    else this.#texts.set(name, left);
  }

  /**
   * @param message one message, without the length that TCP puts in front
   * @param gain how many times the bytes of the question an answer by UDP may have: what does not fit is left out, and
   *   whoever asks is told to come by TCP; null = this is TCP
   * @returns null = no answer
   */
  reply(message: Buffer, gain: number | null): Buffer | null {
    const question = message.length > MOST_QUESTION ? null : readQuestion(message);
    if (question === null) return null;
    const whole = writeAnswer(question, this.#answer(question));
    if (gain === null) return whole;
    const most = Math.min(Math.max(question.edns, PLAIN_BYTES), message.length * gain);
    return whole.length <= most ? whole : writeAnswer(question, { ...NOTHING, truncated: true });
  }

  #answer({ name, type }: Question): Answer {
    const zone = this.#zones.find((one) => name === one || name.endsWith(`.${one}`));
    if (zone === undefined) return { ...NOTHING, code: CODE.refused };
    const host = zone.slice(zone.indexOf('.') + 1);
    if (name === zone && type === TYPE.NS) return { ...NOTHING, ns: host };
    const texts = this.#texts.get(name) ?? [];
    if (type === TYPE.TXT && texts.length > 0) return { ...NOTHING, texts };
    const exists = name === zone || texts.length > 0;
    return { ...NOTHING, code: exists ? CODE.ok : CODE.noSuchName, soa: { zone, host } };
  }
}
