/** Sets records at a name server that takes updates (RFC 2136), signed with a key that it knows (RFC 8945). */
import { randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { DnsWay } from '../types.ts';
import type { DnsAddress } from './answerer.ts';
import { type Answered, ask } from './ask.ts';
import { textOf } from './message.ts';
import { characterString, nameBytes, TYPE } from './packet.ts';
import { refusalOf, sign, type TsigKey } from './tsig.ts';

const OPCODE_QUERY = 0x0000;
const OPCODE_UPDATE = 0x2800;
const CLASS = { IN: 1, NONE: 254 } as const;
/** Seconds: the record is gone in a minute. */
const TTL = 60;
/** Until every name server of the zone has it; they are told, or ask, in their own time. */
const SEEN_MS = 180_000;
const LOOK_MS = 2_000;

const CODES: Readonly<Record<number, string>> = {
  1: 'it does not understand the update (FORMERR)',
  2: 'it could not do it (SERVFAIL)',
  4: 'it takes no updates (NOTIMP)',
  5: 'it refuses: the key may not change that record (REFUSED)',
  9: 'it does not accept the key or is not in charge of the zone (NOTAUTH)',
  10: 'the name is not in the zone (NOTZONE)',
};

export interface UpdateConfig {
  readonly server: DnsAddress;
  readonly key: TsigKey;
  /** '' = found by its SOA record. */
  readonly zone: string;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Addresses of the name servers that others ask about the zone; [] = they are not known. */
  readonly nameServers: (zone: string) => Promise<readonly DnsAddress[]>;
}

/** @throws Error in words, from its methods */
export function updateWay(config: UpdateConfig): DnsWay {
  const { server, nameServers, now } = config;
  const title = `${server.host} port ${server.port} (--dns-update-server)`;
  const zones = new Map<string, string>();
  const zoneOf = async (name: string): Promise<string> => {
    const zone = config.zone || zones.get(name) || (await findZone(config, name));
    zones.set(name, zone);
    return zone;
  };
  const change = async (name: string, value: string, present: boolean): Promise<string> => {
    const zone = await zoneOf(name);
    const asked = message(OPCODE_UPDATE, zone, TYPE.SOA, [recordOf(name, value, present)]);
    const { message: answer } = await askSigned(config, asked);
    if (answer.code !== 0)
      throw new Error(`${title} did not take the record: ${CODES[answer.code] ?? `code ${answer.code}`}`);
    return zone;
  };
  return {
    title,
    delegated: false,
    async present(name, value) {
      const zone = await change(name, value, true);
      const until = now() + SEEN_MS;
      for (const one of await nameServers(zone).catch((): readonly DnsAddress[] => [])) {
        /* oxlint-disable no-await-in-loop -- the slowest says when it is time */
        while ((await has(one, name, value)) === false) {
          if (now() > until) throw new Error(`the name server ${one.host} of ${zone} does not have the record yet`);
          await wait(LOOK_MS, undefined, { ref: false });
        }
        /* oxlint-enable no-await-in-loop */
      }
    },
    async cleanup(name, value) {
      await change(name, value, false);
    },
  };
}

/** The zone that a name is in, as the server says it with every answer: the owner of the SOA record. */
async function findZone(config: UpdateConfig, name: string): Promise<string> {
  for (let one = name; one.includes('.'); one = one.slice(one.indexOf('.') + 1)) {
    // oxlint-disable-next-line no-await-in-loop -- the next is above
    const { message: answer } = await askSigned(config, message(OPCODE_QUERY, one, TYPE.SOA, []));
    const soa = [...answer.answers, ...answer.authority].find(({ type }) => type === TYPE.SOA);
    if (soa !== undefined && (name === soa.name || name.endsWith(`.${soa.name}`))) return soa.name;
  }
  throw new Error(`${config.server.host} knows no zone of ${name}: name it with --dns-update-zone`);
}

async function askSigned({ server, key, now }: UpdateConfig, question: Buffer): Promise<Answered> {
  const request = sign(question, key, now());
  const answered = await ask(server, request.bytes);
  const refusal = refusalOf(answered.bytes, answered.message, request, key, now());
  if (refusal !== null) throw new Error(`${server.host} port ${server.port}: ${refusal}`);
  return answered;
}

/** null = it does not answer here, which says nothing of what it answers to others. */
async function has(server: DnsAddress, name: string, value: string): Promise<boolean | null> {
  try {
    const { message: answer } = await ask(server, message(OPCODE_QUERY, name, TYPE.TXT, []));
    return answer.answers.some(({ type, data }) => type === TYPE.TXT && textOf(data) === value);
  } catch {
    return null;
  }
}

/** One question, or zone, and what is to be changed in it. */
function message(opcode: number, name: string, type: number, changes: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(randomInt(0x1_0000), 0);
  header.writeUInt16BE(opcode, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(changes.length, 8);
  const kind = Buffer.alloc(4);
  kind.writeUInt16BE(type, 0);
  kind.writeUInt16BE(CLASS.IN, 2);
  return Buffer.concat([header, nameBytes(name), kind, ...changes]);
}

/** §2.5.1 adds one to those of the name, §2.5.4 takes that one away. */
function recordOf(name: string, value: string, present: boolean): Buffer {
  const data = characterString(value);
  const head = Buffer.alloc(10);
  head.writeUInt16BE(TYPE.TXT, 0);
  head.writeUInt16BE(present ? CLASS.IN : CLASS.NONE, 2);
  head.writeUInt32BE(present ? TTL : 0, 4);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([nameBytes(name), head, data]);
}
