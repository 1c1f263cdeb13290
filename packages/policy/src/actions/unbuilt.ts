/** Actions of the language that this build does not run: refused by name, so that no rule is dropped in silence. */
import type { ActionFacts } from './descriptor.ts';

export const UNBUILT = [{ type: 'ai-gateway', phases: ['on_http_request'] }] as const satisfies readonly ActionFacts[];
