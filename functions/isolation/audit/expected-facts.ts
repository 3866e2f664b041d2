import { z } from 'zod';
import { expectedOfType } from './expected-of-type.ts';
import { existence, type Fact, type Unread } from './fact.ts';
import { asPolicy } from './policy-document.ts';
import type { Reference } from './reference.ts';
import { type DeployedStack, resolved, Unresolved } from './resolve-reference.ts';
import { document, nameOf } from './thing.ts';

const permission = z.object({
  Action: z.string(),
  FunctionName: z.string(),
  Principal: z.string(),
  SourceAccount: z.string().optional(),
  SourceArn: z.string().optional(),
});
const permissionType = 'AWS::Lambda::Permission';

/** What the stack's resources should be, with the names they have in this deployment; and what cannot be said, because the stack is another one than the reference is of. */
export function expectedFacts(
  { resources }: Reference,
  stack: DeployedStack,
): { readonly facts: readonly Fact[]; readonly unread: readonly Unread[] } {
  const facts: Fact[] = [];
  const unread: Unread[] = [];
  const permissions: z.infer<typeof permission>[] = [];
  for (const [logicalId, { type, properties }] of Object.entries(resources)) {
    try {
      const deployed = stack.resources.get(logicalId);
      if (deployed === undefined) throw new Unresolved('the stack does not have it, so that it is of another version than the audit');
      const real = resolved(properties, stack);
      if (type === permissionType) permissions.push(permission.parse(real));
      else facts.push(...factsOf(type, real, deployed.physicalId));
    } catch (error) {
      if (!(error instanceof Unresolved)) throw error;
      unread.push({ of: `${logicalId} of the template`, why: error.message });
    }
  }
  return { facts: [...facts, ...functionPolicies(permissions)], unread };
}

/** What is in the stack and not in the reference: the stack was changed, and this function was not. */
export function strangersInStack({ resources }: Reference, stack: DeployedStack): readonly Fact[] {
  return [...stack.resources].flatMap(([logicalId, { type, physicalId }]) =>
    expectedOfType[type] !== undefined && resources[logicalId] === undefined
      ? [existence(`${logicalId} of the stack (${nameOf(type, physicalId)})`)]
      : [],
  );
}

function factsOf(type: string, properties: unknown, physicalId: string): readonly Fact[] {
  const of = expectedOfType[type];
  if (of === undefined) throw new Unresolved(`the type ${type} is not known here`);
  return of(properties, physicalId);
}

/** A function's policy is made of its permissions, one statement each. Source: Lambda API Reference, AddPermission. */
function functionPolicies(permissions: readonly z.infer<typeof permission>[]): readonly Fact[] {
  const byFunction = Map.groupBy(permissions, ({ FunctionName }) => FunctionName);
  return [...byFunction].map(([functionArn, its]) => ({
    of: nameOf('AWS::Lambda::Function', functionArn),
    aspect: 'policy',
    value: document(
      asPolicy({ Version: '2012-10-17', Statement: its.map((one) => statementOf(one, functionArn)) }),
      'AWS::Lambda::Function',
    ),
  }));
}

function statementOf({ Action, Principal, SourceAccount, SourceArn }: z.infer<typeof permission>, Resource: string): object {
  const Condition = {
    ...(SourceArn !== undefined && { ArnLike: { 'aws:SourceArn': SourceArn } }),
    ...(SourceAccount !== undefined && { StringEquals: { 'aws:SourceAccount': SourceAccount } }),
  };
  return {
    Effect: 'Allow',
    Principal: Principal.endsWith('.amazonaws.com') ? { Service: Principal } : { AWS: Principal },
    Action,
    Resource,
    ...(Object.keys(Condition).length > 0 && { Condition }),
  };
}
