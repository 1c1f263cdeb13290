import { PLAIN } from '@postern/resources';
import { describeResource } from '../support/resource.ts';

describeResource({
  definition: PLAIN.ipPolicies,
  create: (index) => ({ description: `office ${index}`, metadata: 'env=staging' }),
  update: { description: '', metadata: 'env=production' },
  shown: () => ({ description: 'office 0', metadata: 'env=staging' }),
});
