/** Objects of JSON that providers have written. */
import { isMembers, type Members } from '../actions/jwt-validation/token.ts';

/** @returns null for what is no JSON object */
export function readMembers(body: Buffer): Members | null {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return isMembers(value) ? value : null;
  } catch {
    return null;
  }
}

/** '' for what is no text. */
export function textAt(members: Members, name: string): string {
  const value = members[name];
  return typeof value === 'string' ? value : '';
}
