/** Names of the language whose facts this build cannot supply: refused, because read as empty they would pass in silence. */
import { NO_REQUEST } from '../scope.ts';
import { HTTP_PHASES, type Variable } from './variable.ts';

export const UNAVAILABLE_VARIABLES: readonly Variable[] = [
  {
    name: 'req.ts.body_received',
    type: 'timestamp',
    phases: HTTP_PHASES,
    get: () => NO_REQUEST,
    unavailable: true,
  },
];
