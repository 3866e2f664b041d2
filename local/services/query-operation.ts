/**
 * An operation of a query service, its input described by a zod schema. A member the schema does not name is answered NotImplemented instead of
 * being ignored: nobody may believe that the local cloud honours a parameter it does not know.
 */
import type { z } from 'zod';
import { AwsError, notImplemented } from '../core/aws-error.ts';
import type { Input, Need, Operation, Scope } from '../core/service.ts';

/** `schema` must be strict. Wrong input is answered `ValidationError`, as STS and IAM do ("Common errors"), or `wrongInput`, before IAM is asked. */
export function queryOperation<S extends z.ZodType>(
  name: string,
  schema: S,
  needs: (input: z.output<S>, scope: Scope) => readonly Need[],
  run: (input: z.output<S>, scope: Scope) => object | Promise<object>,
  { wrongInput = 'ValidationError' }: { readonly wrongInput?: string } = {},
): Record<string, Operation> {
  const parse = (input: Input): z.output<S> => {
    const result = schema.safeParse(input);
    if (result.success) return result.data;
    const issue = result.error.issues[0];
    const member = issue?.path.join('.') ?? '';
    if (issue?.code === 'unrecognized_keys') {
      throw notImplemented(`${name} with the parameter ${[member, issue.keys.join(', ')].filter((part) => part !== '').join('.')}`);
    }
    throw new AwsError(wrongInput, `1 validation error detected: ${member === '' ? name : `'${member}'`}: ${issue?.message ?? 'invalid'}`);
  };
  return { [name]: { needs: (input, scope) => needs(parse(input), scope), run: (input, scope) => run(parse(input), scope) } };
}
