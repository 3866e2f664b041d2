/**
 * Two of Access Analyzer's policy checks. AWS reasons over all requests; here the evaluator is asked about requests that the statements themselves suggest
 * (`access-analyzer-requests.ts`): what a policy newly allows is found where such a request shows it, and a statement for which none can be made counts as new access. Source:
 * IAM Access Analyzer API Reference, CheckNoNewAccess, CheckNoPublicAccess; IAM User Guide, "Validate policies using custom policy checks".
 */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import { parseJsonBody } from '../core/json-protocol.ts';
import type { LocalService, Need } from '../core/service.ts';
import { compilePolicy, evaluate, requestContext } from '../iam/evaluate.ts';
import type { PolicyDocument, PolicyStatement } from '../iam/policy.ts';
import { alongWith, both, type PolicyRequest, requestsOf } from './access-analyzer-requests.ts';
import { parsePolicyDocument, statementsOf } from './iam-policy-document.ts';
import { operation } from './typed-operation.ts';

const policyText = z.string().min(1).max(131_072);
const paths: Readonly<Record<string, string>> = {
  '/policy/check-no-new-access': 'CheckNoNewAccess',
  '/policy/check-no-public-access': 'CheckNoPublicAccess',
};
const resourceTypes = [
  'AWS::DynamoDB::Table',
  'AWS::IAM::AssumeRolePolicyDocument',
  'AWS::KMS::Key',
  'AWS::Lambda::Function',
  'AWS::S3::Bucket',
  'AWS::SecretsManager::Secret',
  'AWS::SNS::Topic',
  'AWS::SQS::Queue',
] as const;
type PolicyType = 'IDENTITY_POLICY' | 'RESOURCE_POLICY';

export function createAccessAnalyzer(): LocalService {
  const need = (name: string) => (): readonly Need[] => [{ action: `access-analyzer:${name}`, resource: '*' }];
  return {
    signingName: 'access-analyzer',
    protocol: 'rest-json',
    route: (method, path, _, body) => {
      const name = method === 'POST' ? paths[path] : undefined;
      return name === undefined ? undefined : { operation: name, input: parseJsonBody(body) };
    },
    operations: {
      CheckNoNewAccess: operation(
        z.strictObject({
          newPolicyDocument: policyText,
          existingPolicyDocument: policyText,
          policyType: z.enum(['IDENTITY_POLICY', 'RESOURCE_POLICY']),
        }),
        {
          needs: need('CheckNoNewAccess'),
          run: (input, { accountId }) => {
            const reasons = newAccess(
              { now: documentOf(input.newPolicyDocument), before: documentOf(input.existingPolicyDocument) },
              input.policyType,
              accountId,
            );
            return answer(reasons, 'The modified permissions grant new access compared to your existing policy.');
          },
        },
      ),
      CheckNoPublicAccess: operation(z.strictObject({ policyDocument: policyText, resourceType: z.enum(resourceTypes) }), {
        needs: need('CheckNoPublicAccess'),
        run: (input, { accountId }) =>
          answer(publicAccess(documentOf(input.policyDocument), accountId), 'The resource policy grants public access.'),
      }),
    },
  };
}

interface Reason {
  readonly statementIndex: number;
  readonly statementId: string | undefined;
  readonly description: string;
}

function answer(reasons: readonly Reason[], failure: string): object {
  if (reasons.length === 0) return { result: 'PASS', message: 'The policy document passes the check.', reasons: [] };
  return { result: 'FAIL', message: failure, reasons };
}

function documentOf(text: string): PolicyDocument {
  try {
    return parsePolicyDocument(text);
  } catch (error) {
    throw new AwsError('InvalidParameterException', error instanceof Error ? error.message : String(error));
  }
}

function newAccess(
  { now, before }: { readonly now: PolicyDocument; readonly before: PolicyDocument },
  type: PolicyType,
  accountId: string,
): readonly Reason[] {
  const [isAllowedNow, wasAllowed] = [decider(now, type, accountId), decider(before, type, accountId)];
  const refusals = statementsOf(before).filter(({ Effect }) => Effect === 'Deny');
  const allows = [...statementsOf(before), ...statementsOf(now)].filter(({ Effect }) => Effect === 'Allow');
  return statementsOf(now).flatMap((statement, statementIndex) => {
    if (statement.Effect === 'Deny') return [];
    // What other Allows demand is what gets past the refusals, so it is tried along with this one, in full and but for one part.
    const requests = [
      requestsOf(statement, accountId),
      ...refusals.map((deny) => both(statement, deny, accountId)),
      ...allows.map((other) => alongWith(statement, other, accountId)),
    ];
    const isNew = requests.some((some) => some === undefined || some.some((request) => isAllowedNow(request) && !wasAllowed(request)));
    return isNew ? [reason(statement, statementIndex, 'New access')] : [];
  });
}

/** Allowed to somebody of an account that nothing names, who brings nothing along but the action. */
function publicAccess(document: PolicyDocument, accountId: string): readonly Reason[] {
  const isAllowed = decider(document, 'RESOURCE_POLICY', accountId);
  return statementsOf(document).flatMap((statement, statementIndex) => {
    if (statement.Effect === 'Deny') return [];
    const requests = requestsOf({ ...statement, Condition: undefined, Principal: '*' }, accountId) ?? [];
    return requests.some(isAllowed) ? [reason(statement, statementIndex, 'Public access')] : [];
  });
}

function reason({ Sid }: PolicyStatement, statementIndex: number, what: string): Reason {
  return {
    statementIndex,
    statementId: Sid,
    description: `${what} in the statement with ${Sid === undefined ? 'index' : 'sid'}: ${Sid ?? statementIndex}.`,
  };
}

const callersOwn: PolicyDocument = { Version: '2012-10-17', Statement: [{ Sid: 'Anything', Effect: 'Allow', Action: '*', Resource: '*' }] };

/** Whether a policy allows a request, everything else allowing it. Trust policies name no resource: it is the role that has them. */
function decider(document: PolicyDocument, type: PolicyType, accountId: string): (request: PolicyRequest) => boolean {
  const policy = compilePolicy('checked', type === 'IDENTITY_POLICY' ? 'identity' : 'resource', document);
  const anything = compilePolicy('caller', 'identity', callersOwn);
  return ({ action, resource, principal, context }) =>
    evaluate({
      principal,
      action,
      resource,
      context: requestContext(context),
      resourceAccountId: accountId,
      simulated: true,
      ...(type === 'IDENTITY_POLICY'
        ? { identity: [policy] }
        : { identity: [anything], resourcePolicy: policy, resourcePolicyRequired: true }),
    }).allowed;
}
