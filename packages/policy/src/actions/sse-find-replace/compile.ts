import { Failure, Fatal } from '../../cel/value.ts';
import type { Scope } from '../../cel/scope.ts';
import type { Template } from '../../interpolation/template.ts';
import { readConfig } from '../../schema/problems.ts';
import { GO_ON, type ActionDefinition, type Step } from '../action.ts';
import { compileReplacements, resultOf } from '../find-replace.ts';
import { inTurns } from '../in-turns.ts';
import { failed, unfilled } from '../outcome.ts';
import { EventRewriting, LARGEST_FIELD } from './rewrite-event.ts';
import { EVENT_FIELDS, eventField, sseFindReplaceAction, sseFindReplaceSchema, type EventField } from './schema.ts';

const NO_FIELD = new Fatal(2238, { reason: `a field of sse-find-replace is neither ${EVENT_FIELDS.join(' nor ')}` });

/** Replaces what patterns match in each message of an event stream. */
export const sseFindReplace: ActionDefinition = {
  descriptor: sseFindReplaceAction,
  compile(config, env) {
    const { replacements } = readConfig(sseFindReplaceSchema, config, env.path);
    const prepare = compileReplacements(replacements, env);
    const fields = replacements.map(({ field }, index) => env.template(field, `.replacements[${index}].field`));
    const fixed = fields.flatMap(({ text }) => (text === null ? [] : [eventField(text) ?? 'data']));
    return {
      terminates: false,
      run(scope) {
        const { context } = scope;
        const { event } = context;
        if (event === null) return GO_ON;
        const ready = prepare(scope);
        if (ready instanceof Failure) return unfilled(ready);
        const names = fixed.length === fields.length ? fixed : fieldsOf(fields, scope);
        if (names instanceof Failure) return unfilled(names);
        const rewriting = new EventRewriting(event, names, ready);
        const finish = (problem: Awaited<ReturnType<typeof inTurns>>): Step => {
          if (problem !== null) return failed(problem);
          if (env.recorder.on) env.recorder.record(context, () => resultOf(rewriting.found));
          return GO_ON;
        };
        const problem = inTurns(rewriting, context, LARGEST_FIELD);
        return problem instanceof Promise ? problem.then(finish) : finish(problem);
      },
    };
  },
};

function fieldsOf(templates: readonly Template[], scope: Scope): readonly EventField[] | Failure {
  const names: EventField[] = [];
  for (const template of templates) {
    const name = template.require(scope);
    if (name instanceof Failure) return name;
    const field = eventField(name);
    if (field === null) return NO_FIELD;
    names.push(field);
  }
  return names;
}
