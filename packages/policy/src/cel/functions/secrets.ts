/** secrets.get (traffic-policy.md §7, §8): read each time, so that a secret that is changed holds from the next request on. */
import { Failure } from '../value.ts';
import { define, type FunctionDef } from './definition.ts';

/** Neither name is said: either may be a visitor's to choose. */
const NO_SECRET = new Failure('the account has no secret of that name in that vault');

export const SECRET_FUNCTIONS: readonly FunctionDef[] = [
  define('global', 'secrets.get', ['string', 'string'], 'string', ({ context }, vault, name) => {
    const { services, endpoint } = context;
    return services.resources.secret(endpoint.accountId, vault, name) ?? NO_SECRET;
  }),
];
