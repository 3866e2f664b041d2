/** A function's resource policy: who else may invoke it. Source: Lambda API Reference, `AddPermission`. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Need, Operation, Scope } from '../core/service.ts';
import type { LambdaFunction, PermissionStatement } from './lambda-functions.ts';
import { operation } from './typed-operation.ts';

const onFunction = z.strictObject({ FunctionName: z.string() });

export function permissionOperations(
  find: (scope: Scope, name: string) => LambdaFunction,
  needs: (action: string) => (input: { FunctionName: string }, scope: Scope) => readonly Need[],
): Record<string, Operation> {
  return {
    AddPermission: operation(
      onFunction.extend({
        StatementId: z.string().regex(/^[\w-]{1,100}$/),
        Action: z.string(),
        Principal: z.string(),
        SourceArn: z.string().optional(),
        SourceAccount: z.string().optional(),
      }),
      {
        needs: needs('AddPermission'),
        run(input, scope) {
          const fn = find(scope, input.FunctionName);
          const existing = fn.policy?.Statement ?? [];
          if (existing.some(({ Sid }) => Sid === input.StatementId))
            throw new AwsError('ResourceConflictException', `The statement id (${input.StatementId}) provided already exists.`, 409);
          const statement = permission(input, fn.arn);
          fn.policy = { Version: '2012-10-17', Id: 'default', Statement: [...existing, statement] };
          return { Statement: JSON.stringify(statement) };
        },
      },
    ),
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

function permission(
  input: { StatementId: string; Action: string; Principal: string; SourceArn?: string | undefined; SourceAccount?: string | undefined },
  arn: string,
): PermissionStatement {
  const { Principal } = input;
  const aws = /^\d{12}$/.test(Principal) ? `arn:aws:iam::${Principal}:root` : Principal;
  const condition = {
    ...(input.SourceArn === undefined ? {} : { ArnLike: { 'aws:SourceArn': input.SourceArn } }),
    ...(input.SourceAccount === undefined ? {} : { StringEquals: { 'aws:SourceAccount': input.SourceAccount } }),
  };
  return {
    Sid: input.StatementId,
    Effect: 'Allow',
    Principal: Principal === '*' ? '*' : Principal.endsWith('.amazonaws.com') ? { Service: Principal } : { AWS: aws },
    Action: input.Action,
    Resource: arn,
    ...(Object.keys(condition).length === 0 ? {} : { Condition: condition }),
  };
}
