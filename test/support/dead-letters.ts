/** The workers' dead-letter queues as the operator uses them: read what was put aside and why, send it back. */
import { ReceiveMessageCommand, StartMessageMoveTaskCommand } from '@aws-sdk/client-sqs';
import type { TestCloud } from './cloud.ts';

export interface Letter {
  readonly body: string;
  readonly reasonCode: string | undefined;
  readonly reasonMessage: string | undefined;
}

/** Messages that hold `term`; they stay where they are. */
export async function lettersAbout(
  { cloud, operator }: TestCloud,
  term: string,
  queue: 'tenants' | 'byoc' = 'tenants',
): Promise<readonly Letter[]> {
  const { Messages = [] } = await operator.sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: cloud.queues[queue]?.dlqUrl,
      MaxNumberOfMessages: 10,
      VisibilityTimeout: 0,
      MessageAttributeNames: ['All'],
    }),
  );
  return Messages.filter(({ Body = '' }) => Body.includes(term)).map(({ Body = '', MessageAttributes = {} }) => ({
    body: Body,
    reasonCode: MessageAttributes['ReasonCode']?.StringValue,
    reasonMessage: MessageAttributes['ReasonMessage']?.StringValue,
  }));
}

/** Moves everything back into the queue of tenants. What the handler put aside was sent by it, so SQS does not know where it came from: the operator says where to. */
export async function redrive({ cloud, operator }: TestCloud): Promise<void> {
  const arn = (url = ''): string => `arn:aws:sqs:${cloud.region}:${url.split('/').slice(-2).join(':')}`;
  const { url, dlqUrl } = cloud.queues['tenants'] ?? {};
  await operator.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: arn(dlqUrl), DestinationArn: arn(url) }));
}
