/** What a topic's policy may say, and what it says when nobody has set one. Source: Amazon SNS Developer Guide, "Amazon SNS API permissions: Actions and resources reference". */
import { AwsError } from '../core/aws-error.ts';
import type { PolicyDocument } from '../iam/policy.ts';
import { statementsOf } from './iam-policy-document.ts';
import { parseResourcePolicy } from './resource-policy.ts';

/** "Valid Amazon SNS policy actions": no other is taken, and no wildcard. */
const validActions = new Set(
  [
    'AddPermission',
    'DeleteTopic',
    'GetDataProtectionPolicy',
    'GetTopicAttributes',
    'ListSubscriptionsByTopic',
    'ListTagsForResource',
    'Publish',
    'PutDataProtectionPolicy',
    'RemovePermission',
    'SetTopicAttributes',
    'Subscribe',
  ].map((name) => `sns:${name.toLowerCase()}`),
);
/** "Policy quotas". */
const maxBytes = 30 * 1024;
const maxStatements = 100;

/**
 * @param arn the topic's
 * @param text JSON
 * @throws AwsError `InvalidParameter` for what is no policy, and for one of another topic, of other actions, or over the quotas
 */
export function parseTopicPolicy(arn: string, text: string): PolicyDocument {
  const document = parseResourcePolicy(`topic ${arn.split(':').at(-1)}`, text, 'InvalidParameter');
  const statements = statementsOf(document);
  if (Buffer.byteLength(text) > maxBytes || statements.length > maxStatements) throw invalid('Policy is over the quotas');
  for (const { Action, NotAction, Resource } of statements) {
    if (NotAction !== undefined || [Action ?? []].flat().some((action) => !validActions.has(action.toLowerCase())))
      throw invalid('Policy statement action out of service scope!');
    if ([Resource].flat().some((resource) => resource !== arn)) throw invalid('Policy statement must apply to a single resource');
  }
  return document;
}

/**
 * Services that act for the owner's account are let in. Its own roles need a permission all the same: their calls carry no `aws:SourceOwner`. Source: SNS Developer Guide,
 * "aws:SourceAccount versus aws:SourceOwner".
 */
export function defaultTopicPolicy(arn: string, accountId: string): string {
  return JSON.stringify({
    Version: '2008-10-17',
    Id: '__default_policy_ID',
    Statement: [
      {
        Sid: '__default_statement_ID',
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: [
          'SNS:GetTopicAttributes',
          'SNS:SetTopicAttributes',
          'SNS:AddPermission',
          'SNS:RemovePermission',
          'SNS:DeleteTopic',
          'SNS:Subscribe',
          'SNS:ListSubscriptionsByTopic',
          'SNS:Publish',
        ],
        Resource: arn,
        Condition: { StringEquals: { 'AWS:SourceOwner': accountId } },
      },
    ],
  });
}

const invalid = (reason: string): AwsError => new AwsError('InvalidParameter', `Invalid parameter: ${reason}`);
