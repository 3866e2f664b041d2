/**
 * An operation whose input is described by a zod schema. A member the schema does not name is answered NotImplemented instead of being
 * ignored: a caller must never believe that the local cloud honoured something it does not know.
 */
import type { z } from 'zod';
import { AwsError, notImplemented } from '../core/aws-error.ts';
import type { Input, Need, Operation, Scope } from '../core/service.ts';

export interface TypedOperation<T> {
  /** What IAM must allow; see `Need`. */
  needs(input: T, scope: Scope): readonly Need[];
  run(input: T, scope: Scope): object | Promise<object>;
}

/** @throws AwsError `NotImplemented` for unknown members, `ValidationException` for wrong ones (on the call, not here). */
export function operation<S extends z.ZodType>(schema: S, work: TypedOperation<z.output<S>>): Operation {
  return {
    needs: (input, scope) => work.needs(parseInput(schema, input), scope),
    run: (input, scope) => work.run(parseInput(schema, input), scope),
  };
}

/** Reads one input by its schema; the first issue names the member. */
function parseInput<S extends z.ZodType>(schema: S, input: Input): z.output<S> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const at = (issue?.path ?? []).join('.');
  if (issue?.code === 'unrecognized_keys') throw notImplemented(`the member ${[at, issue.keys[0]].filter(Boolean).join('.')} here`);
  throw new AwsError('ValidationException', `The parameter ${at || 'set'} is not valid: ${issue?.message ?? 'unknown reason'}.`);
}
