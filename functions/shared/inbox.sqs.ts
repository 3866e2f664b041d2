import { ChangeMessageVisibilityCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { aws } from './aws-errors.ts';
import type { Inbox } from './inbox.ts';

/** An attribute counts towards the message's size and may hold no control characters. Source: SQS API Reference, SendMessage. */
function attributeText(text: string): string {
  return text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/gu, '?').slice(0, 1000) || 'none';
}

export function createInbox(client: SQSClient, urls: { queue: string; deadLetterQueue: string }): Inbox {
  return {
    delay: (receiptHandle, seconds) =>
      aws('delaying a message', async () => {
        await client.send(
          new ChangeMessageVisibilityCommand({ QueueUrl: urls.queue, ReceiptHandle: receiptHandle, VisibilityTimeout: seconds }),
        );
      }),
    putAside: (body, reason) =>
      aws('putting a message aside', async () => {
        const attribute = (text: string): { DataType: 'String'; StringValue: string } => ({
          DataType: 'String',
          StringValue: attributeText(text),
        });
        await client.send(
          new SendMessageCommand({
            QueueUrl: urls.deadLetterQueue,
            MessageBody: body,
            MessageAttributes: { ReasonCode: attribute(reason.code), ReasonMessage: attribute(reason.message) },
          }),
        );
      }),
  };
}
