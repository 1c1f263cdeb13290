/**
 * Every action of the language by its names: where it may stand, and whether this build can run it (traffic-policy.md
 * §3). Browser-safe.
 */
import type { ActionDescriptor, ActionFacts, DocumentPhase } from '../actions/descriptor.ts';
import { DESCRIPTORS } from '../actions/descriptors.ts';

export type { ActionFacts, DocumentPhase };

export const DOCUMENT_PHASES: readonly DocumentPhase[] = [
  'on_tcp_connect',
  'on_http_request',
  'on_http_response',
  'on_event_stream_message',
];

export type ActionType = (typeof DESCRIPTORS)[number]['type'];

const BUILT: ReadonlyMap<string, ActionDescriptor<ActionType>> = new Map(DESCRIPTORS.map((one) => [one.type, one]));

/** In the order of their names. */
export const ACTIONS: readonly ActionFacts<ActionType>[] = [...DESCRIPTORS].toSorted((a, b) =>
  a.type < b.type ? -1 : 1,
);

const BY_NAME: ReadonlyMap<string, ActionFacts<ActionType>> = new Map(
  ACTIONS.flatMap((facts) => [facts.type, ...(facts.aliases ?? [])].map((name) => [name, facts] as const)),
);

/** @returns the action that `name` means today, or undefined when there is none */
export function actionNamed(name: string): ActionFacts<ActionType> | undefined {
  return BY_NAME.get(name);
}

/** @returns undefined for what this build does not run */
export function builtAction(type: ActionType): ActionDescriptor<ActionType> | undefined {
  return BUILT.get(type);
}

/** The segments after `actions.ngrok.` that mean something (traffic-policy.md §4). */
export const RESULT_KEYS: ReadonlySet<string> = new Set(
  ACTIONS.flatMap(({ type, resultKey }) => {
    const own = type.replaceAll('-', '_');
    return resultKey === undefined ? [own] : [own, resultKey];
  }),
);
