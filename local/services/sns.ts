/** The SNS service: topics and who may do what with them. Nothing is published here, and nobody subscribes. Source: Amazon SNS API Reference. */
import { z } from 'zod';
import { AwsError, notImplemented } from '../core/aws-error.ts';
import type { Kernel, LocalService, Need } from '../core/service.ts';
import type { PolicyDocument } from '../iam/policy.ts';
import { queryOperation } from './query-operation.ts';
import { defaultTopicPolicy, parseTopicPolicy } from './sns-policy.ts';

interface Topic {
  readonly accountId: string;
  /** JSON, as it was given. */
  readonly policy: string;
  readonly document: PolicyDocument;
}

/** "Topic names must be made up of only uppercase and lowercase ASCII letters, numbers, underscores, and hyphens", CreateTopic. */
const create = z.strictObject({ Name: z.string().regex(/^[\w-]{1,256}$/, 'Topic Name') });
const arn = z.string().regex(/^arn:aws:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}$/, 'not the ARN of a topic');
const onTopic = z.strictObject({ TopicArn: arn });
const setting = z.strictObject({ TopicArn: arn, AttributeName: z.string(), AttributeValue: z.string().default('') });
/** What else SNS has under this name. Source: SNS API Reference, SetTopicAttributes. */
const otherAttributes =
  /^(ApplicationSuccess|ArchivePolicy|ContentBased|DeliveryPolicy|DisplayName|Fifo|Firehose|HTTP|KmsMasterKeyId|Lambda|SQS|SignatureVersion|TracingConfig)/;
const wrongInput = 'InvalidParameter';

/** @throws AwsError `InvalidParameter` for wrong input, `NotFound` for a topic that is not there, `AuthorizationError` for what IAM refuses */
export function createSns({ region }: Pick<Kernel, 'region'>): LocalService {
  const topics = new Map<string, Topic>();
  const arnOf = (accountId: string, name: string): string => `arn:aws:sns:${region}:${accountId}:${name}`;
  const existing = (TopicArn: string): Topic => {
    const topic = topics.get(TopicArn);
    if (topic === undefined) throw new AwsError('NotFound', 'Topic does not exist', 404);
    return topic;
  };
  const put = (TopicArn: string, accountId: string, policy: string): void =>
    void topics.set(TopicArn, { accountId, policy, document: parseTopicPolicy(TopicArn, policy) });
  const need =
    (action: string) =>
    ({ TopicArn }: { readonly TopicArn: string }): readonly Need[] => {
      const document = topics.get(TopicArn)?.document;
      const resourceAccountId = TopicArn.split(':')[4];
      return [
        {
          action: `sns:${action}`,
          resource: TopicArn,
          ...(resourceAccountId !== undefined && { resourceAccountId }),
          ...(document !== undefined && { resourcePolicy: { name: `topic ${TopicArn.split(':').at(-1)}`, document } }),
        },
      ];
    };

  return {
    signingName: 'sns',
    protocol: 'query',
    xmlNamespace: 'http://sns.amazonaws.com/doc/2010-03-31/',
    refusal: 'AuthorizationError',
    operations: {
      ...queryOperation(
        'CreateTopic',
        create,
        ({ Name }, { accountId }) => [{ action: 'sns:CreateTopic', resource: arnOf(accountId, Name) }],
        ({ Name }, { accountId }) => {
          const TopicArn = arnOf(accountId, Name);
          if (!topics.has(TopicArn)) put(TopicArn, accountId, defaultTopicPolicy(TopicArn, accountId));
          return { TopicArn };
        },
        { wrongInput },
      ),
      ...queryOperation(
        'GetTopicAttributes',
        onTopic,
        need('GetTopicAttributes'),
        ({ TopicArn }) => {
          const { accountId, policy } = existing(TopicArn);
          return { Attributes: new Map(Object.entries({ TopicArn, Owner: accountId, Policy: policy })) };
        },
        { wrongInput },
      ),
      ...queryOperation(
        'SetTopicAttributes',
        setting,
        need('SetTopicAttributes'),
        ({ TopicArn, AttributeName, AttributeValue }) => {
          const { accountId } = existing(TopicArn);
          if (otherAttributes.test(AttributeName)) throw notImplemented(`SetTopicAttributes of ${AttributeName}`);
          if (AttributeName !== 'Policy') throw new AwsError(wrongInput, 'Invalid parameter: AttributeName');
          put(TopicArn, accountId, AttributeValue);
          return {};
        },
        { wrongInput },
      ),
      // Succeeds when there is none: "This action is idempotent", DeleteTopic.
      ...queryOperation(
        'DeleteTopic',
        onTopic,
        need('DeleteTopic'),
        ({ TopicArn }) => {
          topics.delete(TopicArn);
          return {};
        },
        { wrongInput },
      ),
    },
  };
}
