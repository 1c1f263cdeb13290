/** Every action that this build runs. Adding one: its folder, its line here, `built` in schema/action-table.ts. */
import type { ActionType } from '../schema/action-table.ts';
import type { ActionDefinition } from './action.ts';
import { closeConnection } from './close-connection/compile.ts';
import { customResponse } from './custom-response/compile.ts';
import { deny } from './deny/compile.ts';
import { forwardInternal } from './forward-internal/compile.ts';

const DEFINITIONS: readonly ActionDefinition[] = [closeConnection, customResponse, deny, forwardInternal];

export const ACTION_DEFINITIONS: ReadonlyMap<ActionType, ActionDefinition> = new Map(
  DEFINITIONS.map((definition) => [definition.type, definition]),
);
