/**
 * Holds the definitions against a machine-readable copy of the published contract that lies beside the repository:
 * paths, list keys, id prefixes, calls, and every field of bodies and answers. Prints what differs; exit code 1 when
 * something does that is not among the reasons below. Usage: node packages/resources/scripts/contract.ts FILE
 */
import { readFileSync } from 'node:fs';
import { compareWithContract } from '../src/contract/compare.ts';

const [file] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write('usage: node packages/resources/scripts/contract.ts FILE\n');
  process.exit(2);
}
const { compared, fields, differences } = compareWithContract(JSON.parse(readFileSync(file, 'utf8')));
for (const difference of differences) process.stdout.write(`differs: ${difference}\n`);
process.stdout.write(`contract: ${compared} resources, ${fields} fields compared, ${differences.length} differences\n`);
process.exit(differences.length === 0 ? 0 : 1);
