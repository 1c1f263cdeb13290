import type { ErrorEntry } from '../entry.ts';

/** What callers of `ai-gateway` are told; 38xx are published numbers. */
export const POLICY_MODEL_ERRORS = {
  2266: {
    status: 400,
    owner: 'config',
    title: 'More than one ai-gateway',
    message: '{path}: a policy has one ai-gateway at most, and this is another.',
  },
  3801: {
    status: 400,
    owner: 'client',
    title: 'No request for a model',
    message: 'This is no request for a model: {reason}.',
  },
  3802: {
    status: 400,
    owner: 'client',
    title: 'No key for the provider',
    message:
      'The request brings no key for {provider}, and the traffic policy has none. Send it as Authorization: Bearer.',
  },
  3803: {
    status: 422,
    owner: 'config',
    title: 'No model could be chosen',
    message: "An expression of the traffic policy's model_selection could not be evaluated: {reason}.",
  },
  3804: {
    status: 422,
    owner: 'client',
    title: 'No such model',
    message: 'No model is served here that this request may have: {reason}.',
  },
  3807: {
    status: 502,
    owner: 'upstream',
    title: 'All providers failed',
    message: 'Every provider that was asked has failed: {errors}.',
  },
  3810: {
    status: 504,
    owner: 'upstream',
    title: 'Providers too slow',
    message: 'No provider has answered within {seconds} seconds: {errors}. The setting is total_timeout.',
  },
  3812: {
    status: 502,
    owner: 'upstream',
    title: 'Too many providers failed',
    message: 'The first {max} requests to providers have failed, and no more are made: {errors}.',
  },
  90086: {
    status: 413,
    owner: 'client',
    title: 'Prompt too long',
    message: 'The prompt of this request has about {tokens} tokens; {max} are allowed here.',
  },
  90087: {
    status: 400,
    owner: 'config',
    title: 'No address for the provider',
    message: '{path}: there is no provider "{provider}" whose address is known here, so it needs a base_url.',
  },
} as const satisfies Record<number, ErrorEntry>;
