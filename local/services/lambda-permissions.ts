/** A function's resource policy: who else may invoke it. Source: Lambda API Reference, `AddPermission`. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Need, Operation, Scope } from '../core/service.ts';
import type { LambdaFunction, PermissionStatement } from './lambda-functions.ts';
import { operation } from './typed-operation.ts';

const onFunction = z.strictObject({ FunctionName: z.string() });

/** What is permitted, to whom, for what source: of `AddPermission`, and of `AWS::Lambda::Permission` in a template. There are no function URLs here, and no versions. */
export const permissionProperties = onFunction.extend({
  Action: z.string(),
  Principal: z.string(),
  SourceArn: z.string().optional(),
  SourceAccount: z.string().optional(),
  EventSourceToken: z.string().optional(),
  PrincipalOrgID: z.string().optional(),
});
type PermissionProperties = z.output<typeof permissionProperties>;

export function permissionOperations(
  find: (scope: Scope, name: string) => LambdaFunction,
  needs: (action: string) => (input: { FunctionName: string }, scope: Scope) => readonly Need[],
): Record<string, Operation> {
  return {
    AddPermission: operation(permissionProperties.extend({ StatementId: z.string().regex(/^[\w-]{1,100}$/) }), {
      needs: needs('AddPermission'),
      run(input, scope) {
        const fn = find(scope, input.FunctionName);
        const existing = fn.policy?.Statement ?? [];
        if (existing.some(({ Sid }) => Sid === input.StatementId))
          throw new AwsError('ResourceConflictException', `The statement id (${input.StatementId}) provided already exists.`, 409);
        const statement = permissionStatement(input.StatementId, input, fn.arn);
        fn.policy = { Version: '2012-10-17', Id: 'default', Statement: [...existing, statement] };
        return { Statement: JSON.stringify(statement) };
      },
    }),
    GetPolicy: operation(onFunction, {
      needs: needs('GetPolicy'),
      run(input, scope) {
        const { policy } = find(scope, input.FunctionName);
        if (policy === undefined) throw new AwsError('ResourceNotFoundException', 'The resource you requested does not exist.', 404);
        return { Policy: JSON.stringify(policy), RevisionId: randomUUID() };
      },
    }),
    RemovePermission: operation(onFunction.extend({ StatementId: z.string() }), {
      needs: needs('RemovePermission'),
      run(input, scope) {
        const fn = find(scope, input.FunctionName);
        const Statement = (fn.policy?.Statement ?? []).filter(({ Sid }) => Sid !== input.StatementId);
        if (Statement.length === (fn.policy?.Statement.length ?? 0))
          throw new AwsError('ResourceNotFoundException', `Statement ${input.StatementId} is not found in resource policy.`, 404);
        if (Statement.length === 0) delete fn.policy;
        else fn.policy = { ...fn.policy, Statement };
        return {};
      },
    }),
  };
}

/**
 * The statement that a permission becomes, as `GetPolicy` shows it. Source: Lambda Developer Guide, "Viewing resource-based IAM policies in Lambda", which has `ArnLike` where
 * the API Reference says `StringLike`; the condition keys: Service Authorization Reference, "AWS Lambda".
 * @param sid the statement's ID
 * @param functionArn of the one function that it is about
 */
export function permissionStatement(
  sid: string,
  { Action, Principal, SourceArn, SourceAccount, EventSourceToken, PrincipalOrgID }: PermissionProperties,
  functionArn: string,
): PermissionStatement {
  const aws = /^\d{12}$/.test(Principal) ? `arn:aws:iam::${Principal}:root` : Principal;
  const equals = {
    ...(SourceAccount !== undefined && { 'aws:SourceAccount': SourceAccount }),
    ...(EventSourceToken !== undefined && { 'lambda:EventSourceToken': EventSourceToken }),
    ...(PrincipalOrgID !== undefined && { 'aws:PrincipalOrgID': PrincipalOrgID }),
  };
  const Condition = {
    ...(SourceArn !== undefined && { ArnLike: { 'aws:SourceArn': SourceArn } }),
    ...(Object.keys(equals).length > 0 && { StringEquals: equals }),
  };
  return {
    Sid: sid,
    Effect: 'Allow',
    Principal: Principal === '*' ? '*' : Principal.endsWith('.amazonaws.com') ? { Service: Principal } : { AWS: aws },
    Action,
    Resource: functionArn,
    ...(Object.keys(Condition).length > 0 && { Condition }),
  };
}
