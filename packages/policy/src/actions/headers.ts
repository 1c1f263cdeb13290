/** Header values with `${…}`, for every action that writes headers. */
import { TOO_MANY_STEPS } from '../cel/limits.ts';
import type { Scope } from '../cel/scope.ts';
import { Failure, Fatal } from '../cel/value.ts';
import { spend, type Budgeted } from '../cel/work.ts';
import type { Template } from '../interpolation/template.ts';
import { isHeaderValue } from '../schema/headers.ts';
import type { ActionEnv } from './action.ts';

export type HeaderTemplate = readonly [name: string, value: Template];
export type HeaderLine = readonly [name: string, value: string];

/** Names become lower case, as the edge writes them. */
export function headerTemplates(headers: Readonly<Record<string, string>>, env: ActionEnv): HeaderTemplate[] {
  return Object.entries(headers).map(([name, value]) => [name.toLowerCase(), env.template(value, `.headers.${name}`)]);
}

/** @returns null when a value depends on the request. */
export function constantHeaders(templates: readonly HeaderTemplate[]): HeaderLine[] | null {
  const lines: HeaderLine[] = [];
  for (const [name, value] of templates) {
    if (value.text === null) return null;
    lines.push([name, value.text]);
  }
  return lines;
}

export function renderHeaders(templates: readonly HeaderTemplate[], scope: Scope): HeaderLine[] | Failure {
  const lines: HeaderLine[] = [];
  for (const [name, template] of templates) {
    const value = template.render(scope);
    if (value instanceof Failure) return value;
    const checked = headerValue(name, value, scope);
    if (checked instanceof Failure) return checked;
    lines.push([name, checked]);
  }
  return lines;
}

/** A text of a request as the header's value. */
export function headerValue(name: string, text: string, scope: Budgeted): string | Failure {
  if (!isHeaderValue(text)) return new Fatal(90035, { name });
  if (name !== 'location' || !/[^\x21-\x7e]/.test(text)) return text;
  return spend(scope, text.length * 20) ? uriOf(text) : TOO_MANY_STEPS;
}

/** A URL is ASCII (RFC 3986 §2): the rest of what an expression gave is percent-encoded as UTF-8. */
export function uriOf(text: string): string {
  return text.replace(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character.toWellFormed()));
}

/** A status that may not have a body (RFC 9110 §6.4.1). */
export function refuseBody(status: number): boolean {
  return status < 200 || status === 204 || status === 304;
}
