/** Moving messages out of a dead-letter queue. Source: SQS API Reference, `StartMessageMoveTask`, and Developer Guide, "dead-letter queue redrive". */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Operation } from '../core/service.ts';
import { numberOf, redriveOf } from './sqs-attributes.ts';
import { depth, expire, type Queue, send } from './sqs-queue.ts';
import type { Queues } from './sqs-queues.ts';
import { operation } from './typed-operation.ts';

interface MoveTask {
  readonly TaskHandle: string;
  readonly Status: 'COMPLETED' | 'FAILED';
  readonly SourceArn: string;
  readonly DestinationArn?: string;
  readonly ApproximateNumberOfMessagesMoved: number;
  readonly ApproximateNumberOfMessagesToMove: number;
  readonly FailureReason?: string;
  readonly StartedTimestamp: number;
}

/** A task is done before the call returns, so none is ever RUNNING and there is nothing to cancel. */
export function redriveOperations(queues: Queues): Record<string, Operation> {
  const tasks: MoveTask[] = [];
  const sourcesOf = (deadLetterArn: string): Queue[] =>
    queues.inAccount(deadLetterArn.split(':')[4] ?? '').filter((queue) => redriveOf(queue)?.deadLetterTargetArn === deadLetterArn);

  /** Messages that were sent to the dead-letter queue directly have no source to go back to: the task fails at the first of them. */
  const move = (
    from: Queue,
    destination: Queue | undefined,
  ): Pick<MoveTask, 'ApproximateNumberOfMessagesMoved' | 'FailureReason' | 'Status'> => {
    let moved = 0;
    const now = queues.clock.now();
    for (const message of [...from.messages.values()]) {
      if (message.visibleAt > now) continue;
      const to = destination ?? (message.deadLetterSource === undefined ? undefined : queues.byArn(message.deadLetterSource));
      if (to === undefined)
        return { Status: 'FAILED', ApproximateNumberOfMessagesMoved: moved, FailureReason: 'CouldNotDetermineMessageSource' };
      from.messages.delete(message.key);
      // "Redriven messages are considered new messages with a new messageID and enqueueTime"; the source it came from is not kept.
      const { body, attributes, senderId, groupId } = message;
      send(to, { body, attributes, senderId, ...(groupId === undefined ? {} : { groupId }) }, now, numberOf(to, 'DelaySeconds'));
      moved++;
    }
    return { Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: moved };
  };

  return {
    StartMessageMoveTask: operation(
      z.strictObject({
        SourceArn: z.string(),
        DestinationArn: z.string().optional(),
        MaxNumberOfMessagesPerSecond: z.number().int().min(1).max(500).optional(),
      }),
      {
        // The caller needs what the move does in its name, on both sides.
        needs: ({ SourceArn, DestinationArn }) => [
          ...['StartMessageMoveTask', 'ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'].map((action) =>
            queues.needOn(action, SourceArn),
          ),
          ...(DestinationArn === undefined ? sourcesOf(SourceArn).map((queue) => queue.arn) : [DestinationArn]).map((arn) =>
            queues.needOn('SendMessage', arn),
          ),
        ],
        run({ SourceArn, DestinationArn }) {
          const from = queues.byArn(SourceArn);
          const destination = DestinationArn === undefined ? undefined : queues.byArn(DestinationArn);
          if (from === undefined || (DestinationArn !== undefined && destination === undefined))
            throw new AwsError(
              'ResourceNotFoundException',
              'The resource that you specified for the SourceArn or DestinationArn parameter does not exist.',
              404,
            );
          if (sourcesOf(SourceArn).length === 0)
            throw new AwsError('InvalidParameterValue', 'Source queue must be configured as a Dead Letter Queue.');
          expire(from, queues.clock.now(), numberOf(from, 'MessageRetentionPeriod'));
          const task: MoveTask = {
            TaskHandle: Buffer.from(JSON.stringify({ taskId: randomUUID(), sourceArn: SourceArn })).toString('base64'),
            SourceArn,
            ...(DestinationArn === undefined ? {} : { DestinationArn }),
            ApproximateNumberOfMessagesToMove: depth(from, queues.clock.now()).ready,
            StartedTimestamp: queues.clock.now(),
            ...move(from, destination),
          };
          tasks.unshift(task);
          return { TaskHandle: task.TaskHandle };
        },
      },
    ),
    ListMessageMoveTasks: operation(z.strictObject({ SourceArn: z.string(), MaxResults: z.number().int().min(1).max(10).default(1) }), {
      needs: ({ SourceArn }) => [queues.needOn('ListMessageMoveTasks', SourceArn)],
      run: ({ SourceArn, MaxResults }) => ({
        Results: tasks
          .filter((task) => task.SourceArn === SourceArn)
          .slice(0, MaxResults)
          .map(({ TaskHandle: _finished, ...task }) => task),
      }),
    }),
    CancelMessageMoveTask: operation(z.strictObject({ TaskHandle: z.string() }), {
      needs: ({ TaskHandle }) => [
        queues.needOn('CancelMessageMoveTask', tasks.find((task) => task.TaskHandle === TaskHandle)?.SourceArn ?? '*'),
      ],
      run() {
        throw new AwsError('UnsupportedOperation', 'The task has ended: only a running task can be cancelled.');
      },
    }),
  };
}
