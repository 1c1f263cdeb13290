import { expect, it } from 'vitest';
import { compareWithContract } from './compare.ts';

const TEXT = (name: string) => ({ name, type: 'string' });
const PUBLISHED = {
  path: '/bot_users',
  list_key: 'bot_users',
  id_prefix: 'bot',
  response_fields: [TEXT('id'), TEXT('uri'), TEXT('name'), { name: 'active', type: 'boolean' }, TEXT('created_at')],
  operations: [
    { method: 'POST', path: '/bot_users', request_fields: [TEXT('name'), { name: 'active', type: 'boolean' }] },
    { method: 'PATCH', path: '/bot_users/{id}', request_fields: [TEXT('id'), TEXT('name')] },
  ],
};

function differencesOf(change: object): readonly string[] {
  const { differences } = compareWithContract({ resources: [{ ...PUBLISHED, ...change }] });
  return differences.filter((text) => text.startsWith('/bot_users'));
}

it('agrees with the contract as it is', () => {
  expect(differencesOf({})).toEqual([]);
});

it.each([
  [{ list_key: 'users' }, '/bot_users: rows of a list are users, not bot_users'],
  [{ id_prefix: 'usr' }, '/bot_users: ids begin with usr'],
  [{ response_fields: [TEXT('email')] }, '/bot_users email: answers lack it'],
  [{ response_fields: [TEXT('active')] }, '/bot_users active: string is published, flag is shown'],
  [
    { operations: [{ method: 'POST', path: '/bot_users', request_fields: [TEXT('email')] }] },
    '/bot_users email: create does not take it',
  ],
])('finds %j', (change, difference) => {
  expect(differencesOf(change)).toEqual([difference]);
});
