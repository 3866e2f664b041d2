import type { Kernel, Need } from '../core/service.ts';
import type { Queue } from './sqs-queue.ts';

/** The queues of the cloud, as the operations on their messages see them. */
export interface Queues {
  readonly clock: Kernel['clock'];
  readonly region: string;
  /** @throws AwsError `QueueDoesNotExist` */
  byUrl(url: string): Queue;
  byArn(arn: string): Queue | undefined;
  inAccount(accountId: string): readonly Queue[];
  /** The need for `sqs:{action}` on a queue named by URL, with its policy. */
  need(action: string, url: string): Need;
  needOn(action: string, arn: string): Need;
}
