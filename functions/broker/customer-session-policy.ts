import type { AwsScope } from '../providers/egress-adapter.ts';

interface Statement {
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const invocations = ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'];

/**
 * What a session of a customer's role may do at most, as JSON: one service, one region, one account. It is what the template grants for that service, so that a role
 * to which its owner attached more gives an agent no more. STS takes up to 2,048 characters.
 *
 * Source: IAM User Guide, "Session policies"; Service Authorization Reference of each service; Bedrock User Guide, "Prerequisites for inference profiles".
 */
export function customerSessionPolicy(scope: AwsScope, accountId: string): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statementsOf(scope, accountId) });
}

function statementsOf({ service, region }: AwsScope, accountId: string): readonly Statement[] {
  switch (service) {
    case 'bedrock': {
      const profiles = `arn:aws:bedrock:${region}:${accountId}:inference-profile/*`;
      return [
        { Effect: 'Allow', Action: invocations, Resource: [`arn:aws:bedrock:${region}::foundation-model/*`, profiles] },
        // A profile routes to other regions too, which are the customer's to allow: models there are reached through a profile of this one only.
        {
          Effect: 'Allow',
          Action: invocations,
          Resource: ['arn:aws:bedrock:*::foundation-model/*'],
          Condition: { ArnLike: { 'bedrock:InferenceProfileArn': profiles } },
        },
      ];
    }
    case 'dynamodb':
      return [
        {
          Effect: 'Allow',
          Action: ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query'],
          Resource: [`arn:aws:dynamodb:${region}:${accountId}:table/cordon-*`],
        },
      ];
    case 's3':
      return [
        {
          Effect: 'Allow',
          Action: ['s3:GetObject'],
          Resource: ['arn:aws:s3:::cordon-*/*'],
          // A bucket's ARN names neither: another account's bucket of such a name may be open to everybody.
          Condition: { StringEquals: { 'aws:RequestedRegion': region, 'aws:ResourceAccount': accountId } },
        },
      ];
    case 'sqs':
      return [
        {
          Effect: 'Allow',
          Action: ['sqs:GetQueueUrl', 'sqs:SendMessage'],
          Resource: [`arn:aws:sqs:${region}:${accountId}:cordon-*`],
        },
      ];
  }
}
