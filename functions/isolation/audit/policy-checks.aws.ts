import {
  type AccessAnalyzerClient,
  type AccessCheckResourceType,
  CheckNoNewAccessCommand,
  CheckNoPublicAccessCommand,
} from '@aws-sdk/client-accessanalyzer';
import {
  type EvaluationResult,
  type IAMClient,
  SimulateCustomPolicyCommand,
  type SimulateCustomPolicyCommandOutput,
} from '@aws-sdk/client-iam';
import { aws } from '../../shared/aws-errors.ts';
import type { CheckedAs } from './fact.ts';
import type { PolicyChecks } from './policy-checks.ts';
import type { PolicyDocument } from './policy-document.ts';

/** The kinds that CheckNoPublicAccess takes. Source: IAM Access Analyzer API Reference, CheckNoPublicAccess. */
const publicTypes: Readonly<Partial<Record<CheckedAs, AccessCheckResourceType>>> = {
  'AWS::DynamoDB::Table': 'AWS::DynamoDB::Table',
  'AWS::IAM::AssumeRolePolicyDocument': 'AWS::IAM::AssumeRolePolicyDocument',
  'AWS::KMS::Key': 'AWS::KMS::Key',
  'AWS::Lambda::Function': 'AWS::Lambda::Function',
  'AWS::S3::Bucket': 'AWS::S3::Bucket',
  'AWS::SecretsManager::Secret': 'AWS::SecretsManager::Secret',
  'AWS::SNS::Topic': 'AWS::SNS::Topic',
  'AWS::SQS::Queue': 'AWS::SQS::Queue',
};
/** Neither check takes a policy without a statement: this one allows nothing. */
const nothing: Readonly<Record<'IDENTITY_POLICY' | 'RESOURCE_POLICY', PolicyDocument>> = {
  IDENTITY_POLICY: { Version: '2012-10-17', Statement: { Effect: 'Deny', Action: '*', Resource: '*' } },
  RESOURCE_POLICY: { Version: '2012-10-17', Statement: { Effect: 'Deny', Principal: '*', Action: '*', Resource: '*' } },
};

/** @param clients with the credentials of the audit's own role */
export function createPolicyChecks({ analyzer, iam }: { analyzer: AccessAnalyzerClient; iam: IAMClient }): PolicyChecks {
  return {
    newAccess: (before, now, checkedAs) =>
      aws('comparing two policies', async () => {
        const policyType = checkedAs === 'IDENTITY_POLICY' ? 'IDENTITY_POLICY' : 'RESOURCE_POLICY';
        const answer = await analyzer.send(
          new CheckNoNewAccessCommand({
            existingPolicyDocument: JSON.stringify(before ?? nothing[policyType]),
            newPolicyDocument: JSON.stringify(now),
            policyType,
          }),
        );
        if (answer.result === 'PASS') return [];
        const reasons = (answer.reasons ?? []).flatMap(({ description }) => description ?? []);
        return reasons.length === 0 ? ['new access'] : reasons;
      }),
    isPublic: async (document, checkedAs) => {
      const resourceType = publicTypes[checkedAs];
      if (resourceType === undefined) return false;
      const ask = new CheckNoPublicAccessCommand({ policyDocument: JSON.stringify(document), resourceType });
      return aws('checking a policy for public access', async () => (await analyzer.send(ask)).result !== 'PASS');
    },
    async allowed({ policies, boundary, actions, resources, context }) {
      const found: EvaluationResult[] = [];
      let Marker: string | undefined;
      do {
        const page: SimulateCustomPolicyCommandOutput = await aws('simulating a request', () =>
          iam.send(
            new SimulateCustomPolicyCommand({
              PolicyInputList: policies.map((policy) => JSON.stringify(policy)),
              ...(boundary !== undefined && { PermissionsBoundaryPolicyInputList: [JSON.stringify(boundary)] }),
              ActionNames: [...actions],
              ResourceArns: [...resources],
              ContextEntries: Object.entries(context).map(([ContextKeyName, value]) => ({
                ContextKeyName,
                ContextKeyType: typeof value === 'string' ? 'string' : 'stringList',
                ContextKeyValues: [value].flat(),
              })),
              Marker,
            }),
          ),
        );
        found.push(...(page.EvaluationResults ?? []));
        Marker = page.Marker;
      } while (Marker !== undefined);
      return found.flatMap(({ EvalDecision, EvalActionName, EvalResourceName }) =>
        EvalDecision === 'allowed' ? [`${EvalActionName} on ${EvalResourceName}`] : [],
      );
    },
  };
}
