/** The official JavaScript API client as a program of the clients' suite: test/clients/README.md has the contract. */
import readline from 'node:readline';
import { Ngrok } from '@ngrok/ngrok-api';

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
/** By the tags that the contract gives resources. */
let services = new Map();

function start({ key, base_url }) {
  const client = new Ngrok({ apiToken: key, baseUrl: base_url });
  services = new Map();
  const walk = (value) => {
    const tag = value.constructor.name;
    if (tag === 'Object' || tag === 'Ngrok') {
      for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) walk(inner);
    } else {
      services.set(tag, value);
    }
  };
  walk(client);
  return Object.fromEntries(Array.from(services, ([tag, service]) => [tag, methodsOf(service)]));
}

function methodsOf(service) {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(service));
  return names.filter((name) => name !== 'constructor' && !name.startsWith('_')).map((name) => name.toLowerCase());
}

async function call({ tag, method, args }) {
  const service = services.get(tag);
  const name = Object.getOwnPropertyNames(Object.getPrototypeOf(service)).find((one) => one.toLowerCase() === method);
  const parameters = /\(([^)]*)\)/.exec(service[name].toString())?.[1] ?? '';
  const given = parameters.startsWith('beforeId')
    ? [args.before_id, args.limit]
    : parameters === 'id'
      ? [args.id]
      : [camelCased(args)];
  return snakeCased((await service[name](...given)) ?? {});
}

const renamed = (value, rename) =>
  Array.isArray(value)
    ? value.map((item) => renamed(item, rename))
    : value !== null && typeof value === 'object'
      ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [rename(key), renamed(inner, rename)]))
      : value;
const camelCased = (value) => renamed(value, (key) => key.replace(/_(\w)/g, (_all, letter) => letter.toUpperCase()));
const snakeCased = (value) => renamed(value, (key) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));

function described(error) {
  if (typeof error?.statusCode !== 'number') return { code: '', message: String(error), status: 0, not_found: false };
  const { errorCode = '', msg, statusCode } = error;
  return { code: errorCode, message: msg, msg, status: statusCode, not_found: statusCode === 404 };
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  try {
    say({ id: asked.id, ok: asked.op === 'start' ? start(asked) : await call(asked) });
  } catch (error) {
    say({ id: asked.id, error: described(error) });
  }
}
