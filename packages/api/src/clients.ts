/**
 * What published clients cannot bear, by the user agent that they send. The API answers as published; these are all of
 * the exceptions, each for a client that could not do here what it can do nowhere else otherwise. A new one is a line.
 */

export interface ClientNeeds {
  /** Answers without a body: of which calls they are `200 {}`, because the client parses every answer. */
  readonly bodies: 'as-published' | 'actions' | 'all';
  /** Texts that answers leave out when they are empty are there as "". */
  readonly emptyTexts: boolean;
}

const PUBLISHED: ClientNeeds = { bodies: 'as-published', emptyTexts: false };

const CLIENTS: readonly (readonly [userAgent: string, needs: ClientNeeds, because: string])[] = [
  [
    'ngrok-api-typescript/0.10.0/',
    { bodies: 'all', emptyTexts: false },
    "npm's @ngrok/ngrok-api 0.11.0, which names itself so, parses the body of every answer: an empty 204 makes it throw",
  ],
  [
    'ngrok-api-python/',
    { bodies: 'actions', emptyTexts: true },
    'a member that is not there is a KeyError when it is read, and a 204 of anything but a delete a RuntimeError',
  ],
];

/** By how the user agent begins. */
export function needsOf(userAgent: string | undefined): ClientNeeds {
  if (userAgent === undefined) return PUBLISHED;
  return CLIENTS.find(([start]) => userAgent.startsWith(start))?.[1] ?? PUBLISHED;
}
