/**
 * One invocation of a schedule's target: as the schedule's role, assumed by Scheduler itself, so that the role's trust and its permissions
 * decide. Source: EventBridge Scheduler User Guide, "Setting up: execution role", "Adding context attributes", "Configuring a dead-letter queue".
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Caller, Kernel } from '../core/service.ts';

export interface Target {
  readonly Arn: string;
  readonly RoleArn: string;
  readonly Input?: string | undefined;
  readonly DeadLetterConfig?: { readonly Arn?: string | undefined } | undefined;
  readonly RetryPolicy?:
    | { readonly MaximumRetryAttempts?: number | undefined; readonly MaximumEventAgeInSeconds?: number | undefined }
    | undefined;
}

export interface Occasion {
  readonly scheduleArn: string;
  readonly groupArn: string;
  readonly target: Target;
  /** Milliseconds since the epoch. */
  readonly scheduledAt: number;
}

const session = z.object({ Credentials: z.object({ AccessKeyId: z.string() }) });

/** A session of the role, for schedules of the group. @throws AwsError AccessDenied when the role's trust does not let Scheduler in */
export async function assumeExecutionRole(kernel: Kernel, roleArn: string, groupArn: string): Promise<Caller> {
  const accountId = accountOf(groupArn);
  const scheduler = kernel.serviceCaller('scheduler.amazonaws.com', accountId, {
    'aws:SourceArn': groupArn,
    'aws:SourceAccount': accountId,
  });
  const input = { RoleArn: roleArn, RoleSessionName: randomUUID() };
  const { Credentials } = session.parse(await kernel.call(scheduler, 'sts', 'AssumeRole', input, { accountId }));
  const caller = kernel.callerOf(Credentials.AccessKeyId);
  if (caller === undefined) throw new AwsError('AccessDenied', `The session of ${roleArn} is gone.`, 403);
  return caller;
}

/**
 * Resolves when the target has taken it, or when it was given up: put into the dead-letter queue, else told to `report` in one line. Rejects
 * only with the signal's reason.
 */
export async function invokeTarget(kernel: Kernel, occasion: Occasion, signal: AbortSignal, report: (line: string) => void): Promise<void> {
  const { target, scheduleArn, groupArn } = occasion;
  const executionId = randomUUID();
  const deadline = kernel.clock.now() + 1000 * (target.RetryPolicy?.MaximumEventAgeInSeconds ?? 86_400);
  const retries = target.RetryPolicy?.MaximumRetryAttempts ?? 185;
  for (let attempt = 0; ; attempt++) {
    try {
      const role = await assumeExecutionRole(kernel, target.RoleArn, groupArn);
      const Payload = payloadOf(occasion, kernel.region, executionId, attempt + 1);
      const input = { FunctionName: target.Arn, InvocationType: 'Event', Payload };
      await kernel.call(role, 'lambda', 'Invoke', input, { accountId: accountOf(target.Arn) });
      return;
    } catch (error) {
      signal.throwIfAborted();
      // What is refused stays refused: only failures of AWS and throttling are tried again.
      const isLasting = error instanceof AwsError && error.status < 500 && !/throttl|toomanyrequests/i.test(error.code);
      if (!isLasting && attempt < retries && kernel.clock.now() < deadline) {
        await sleep(Math.min(20 * 2 ** attempt, 5000), undefined, { signal, ref: false });
        continue;
      }
      const why = `${error instanceof AwsError ? error.code : 'InternalFailure'}: ${error instanceof Error ? error.message : String(error)}`;
      if (await isDeadLettered(kernel, occasion, why)) return;
      return report(`EventBridge Scheduler gave up on ${scheduleArn} for ${target.Arn} after ${attempt + 1} attempts: ${why}`);
    }
  }
}

/** As the execution role, which needs `sqs:SendMessage` for it. */
async function isDeadLettered(kernel: Kernel, { target, groupArn, scheduleArn }: Occasion, why: string): Promise<boolean> {
  const queueArn = target.DeadLetterConfig?.Arn;
  if (queueArn === undefined) return false;
  const accountId = accountOf(queueArn);
  const text = (value: string): object => ({ DataType: 'String', StringValue: value });
  const [code = '', ...message] = why.split(': ');
  try {
    const role = await assumeExecutionRole(kernel, target.RoleArn, groupArn);
    await kernel.call(
      role,
      'sqs',
      'SendMessage',
      {
        QueueUrl: `https://sqs/${accountId}/${queueArn.split(':')[5]}`,
        MessageBody: target.Input ?? '{}',
        MessageAttributes: {
          ERROR_CODE: text(code),
          ERROR_MESSAGE: text(message.join(': ')),
          SCHEDULE_ARN: text(scheduleArn),
          TARGET_ARN: text(target.Arn),
        },
      },
      { accountId },
    );
    return true;
  } catch {
    // The caller reports the first failure, which says more than that its dead-letter queue is closed too.
    return false;
  }
}

/** The given input with its context attributes filled in, or what a target gets when none is given. */
function payloadOf({ scheduleArn, scheduledAt, target }: Occasion, region: string, executionId: string, attempt: number): string {
  const time = new Date(scheduledAt).toISOString().replace(/\.\d{3}Z$/, 'Z');
  if (target.Input === undefined) {
    return JSON.stringify({
      version: '0',
      id: executionId,
      'detail-type': 'Scheduled Event',
      source: 'aws.scheduler',
      account: accountOf(scheduleArn),
      time,
      region,
      resources: [scheduleArn],
      detail: '{}',
    });
  }
  const attributes: Readonly<Record<string, string>> = {
    'schedule-arn': scheduleArn,
    'scheduled-time': time,
    'execution-id': executionId,
    'attempt-number': String(attempt),
  };
  return target.Input.replace(/<aws\.scheduler\.([a-z-]+)>/g, (whole, name: string) => attributes[name] ?? whole);
}

const accountOf = (arn: string): string => arn.split(':')[4] ?? '';
