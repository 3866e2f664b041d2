/** Asks the evaluator about one need of one caller, and says what AWS would say when the answer is no. */

import type { CompiledPolicy } from '../iam/evaluate.ts';
import { compilePolicy, evaluate, requestContext } from '../iam/evaluate.ts';
import type { Decision, StatementRef } from '../iam/policy.ts';
import type { RequestContext } from '../iam/request-context.ts';
import { AwsError } from './aws-error.ts';
import type { Principals } from './principals.ts';
import type { Caller, LocalService, Need } from './service.ts';

/** `at`: account and Region the call is addressed to. Throws InvalidClientTokenId when the caller's access key is no longer good. */
export function decide(principals: Principals, caller: Caller, need: Need, at: { accountId: string; region: string }): Decision {
  const policies = principals.policiesOf(caller);
  if (policies === undefined) throw new AwsError('InvalidClientTokenId', 'The security token included in the request is invalid.', 403);
  const resourceAccountId = need.resourceAccountId ?? at.accountId;
  let resourcePolicy: CompiledPolicy | undefined;
  try {
    if (need.resourcePolicy !== undefined)
      resourcePolicy = compilePolicy(need.resourcePolicy.name, 'resource', need.resourcePolicy.document);
  } catch (error) {
    // A policy that cannot be understood may hold a Deny: refuse, and say which.
    const message = `${need.resourcePolicy?.name} cannot be evaluated: ${error instanceof Error ? error.message : String(error)}`;
    return { allowed: false, reason: 'unsupported', deciding: undefined, denies: [], message };
  }
  return evaluate({
    principal: caller.principal,
    action: need.action,
    resource: need.resource,
    context: contextOf(principals, caller, need, at),
    ...policies,
    ...(resourcePolicy === undefined ? {} : { resourcePolicy }),
    resourceAccountId,
    ...(need.resourcePolicyRequired === undefined ? {} : { resourcePolicyRequired: need.resourcePolicyRequired }),
  });
}

/** Every condition key of a need: the service's, the resource's and the caller's own. */
export function contextOf(
  principals: Principals,
  caller: Caller,
  need: Need,
  at: { readonly accountId: string; readonly region: string },
): RequestContext {
  return requestContext({
    ...need.context,
    ...principals.contextOf(caller, need.region ?? at.region),
    'aws:ResourceAccount': need.resourceAccountId ?? at.accountId,
  });
}

/** `Policy/Sid`, or the decision's sentence when no statement decided. */
export function statementOf(decision: Decision): string {
  return decision.deciding === undefined ? decision.message : nameOf(decision.deciding);
}

function nameOf({ policy, sid }: StatementRef): string {
  return `${policy}/${sid}`;
}

/** In AWS's words ("Troubleshoot access denied error messages"), then the local cloud's own: which statement decided. */
export function accessDenied(service: LocalService, caller: Caller, need: Need, decision: Decision): AwsError {
  const because = decision.message.replace(/\.$/, '');
  const named = decision.deciding === undefined || because.includes(nameOf(decision.deciding)) ? '' : ` [${nameOf(decision.deciding)}]`;
  const message = `User: ${caller.principal.arn} is not authorized to perform: ${need.action} on resource: ${need.resource} because ${because}${named}`;
  if (service.refusal !== undefined) return new AwsError(service.refusal, message, 403);
  if (service.protocol === 'query' || service.protocol === 'rest-xml') return new AwsError('AccessDenied', message, 403);
  return new AwsError('AccessDeniedException', message, service.protocol === 'rest-json' ? 403 : 400);
}
