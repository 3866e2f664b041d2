/**
 * EventBridge Scheduler: schedules at a rate that invoke Lambda functions, on the cloud's clock. When a schedule is due says
 * `scheduler-expression.ts`, who invokes how `scheduler-invoke.ts`. However far the clock has jumped, what became due fires once. Unlike in
 * AWS, where a rate without start date begins at once, the first time is one rate after creation: a stack is complete by then.
 * Source: Amazon EventBridge Scheduler API Reference; Service Authorization Reference, "Amazon EventBridge Scheduler".
 */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Kernel, LocalService, Need, Scope } from '../core/service.ts';
import { nextAt, rateOf } from './scheduler-expression.ts';
import { assumeExecutionRole, invokeTarget } from './scheduler-invoke.ts';
import { route } from './scheduler-routes.ts';
import { operation } from './typed-operation.ts';

const name = z.string().regex(/^[0-9a-zA-Z-_.]{1,64}$/);
const onSchedule = z.strictObject({ Name: name, GroupName: name.default('default') });
const onGroup = z.strictObject({ Name: name });
const scheduleInput = onSchedule.extend({
  Description: z.string().max(512).optional(),
  ScheduleExpression: z.string().min(1).max(256),
  /** Says nothing for a rate. */
  ScheduleExpressionTimezone: z.string().optional(),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  FlexibleTimeWindow: z.strictObject({ Mode: z.literal('OFF') }),
  Target: z.strictObject({
    Arn: z.string().regex(/^arn:aws:lambda:[a-z0-9-]+:\d{12}:function:[\w-]+$/, 'the local cloud schedules Lambda functions only'),
    RoleArn: z.string().regex(/^arn:aws:iam::\d{12}:role\/.+$/),
    Input: z.string().min(1).optional(),
    DeadLetterConfig: z.strictObject({ Arn: z.string().optional() }).optional(),
    RetryPolicy: z
      .strictObject({
        MaximumRetryAttempts: z.number().int().min(0).max(185).optional(),
        MaximumEventAgeInSeconds: z.number().int().min(60).max(86_400).optional(),
      })
      .optional(),
  }),
  ClientToken: z.string().optional(),
});

interface Schedule {
  readonly arn: string;
  readonly groupArn: string;
  readonly config: z.output<typeof scheduleInput>;
  readonly rate: number;
  readonly createdAt: number;
  readonly modifiedAt: number;
  /** When it fires next; undefined while it is disabled. */
  dueAt: number | undefined;
  readonly ended: AbortController;
}

/** @param options.report takes one line for people about an invocation that was given up */
export function createScheduler(kernel: Kernel, options: { readonly report?: (line: string) => void } = {}): LocalService {
  const report = options.report ?? ((line: string) => process.stderr.write(`${line}\n`));
  const schedules = new Map<string, Schedule>();
  const groups = new Set<string>();
  let underWay = 0;

  const arnOf = (scope: Scope, kind: string, path: string): string =>
    `arn:aws:scheduler:${kernel.region}:${scope.accountId}:${kind}/${path}`;
  const scheduleArn = (scope: Scope, { GroupName, Name }: { GroupName: string; Name: string }): string =>
    arnOf(scope, 'schedule', `${GroupName}/${Name}`);
  const scheduleOf = (scope: Scope, input: z.output<typeof onSchedule>): Schedule =>
    schedules.get(scheduleArn(scope, input)) ?? notFound(`Schedule ${input.Name} does not exist.`);
  const groupExists = (scope: Scope, group: string): boolean => group === 'default' || groups.has(arnOf(scope, 'schedule-group', group));
  const need =
    (action: string) =>
    (input: z.output<typeof onSchedule>, scope: Scope): readonly Need[] => [
      { action: `scheduler:${action}`, resource: scheduleArn(scope, input) },
    ];
  const groupNeed = (action: string) => (input: { Name: string }, scope: Scope) => [
    { action: `scheduler:${action}`, resource: arnOf(scope, 'schedule-group', input.Name) },
  ];
  const passRole = (resource: string): Need => ({
    action: 'iam:PassRole',
    resource,
    context: { 'iam:PassedToService': 'scheduler.amazonaws.com' },
  });

  /** Fires until the schedule is changed, deleted, or the cloud closes. */
  const run = async (schedule: Schedule): Promise<void> => {
    const { signal } = schedule.ended;
    while (schedule.dueAt !== undefined) {
      const { dueAt } = schedule;
      await kernel.clock.until(dueAt, signal);
      underWay++;
      schedule.dueAt = nextAt(dueAt, schedule.rate, kernel.clock.now());
      const { arn, groupArn, config } = schedule;
      invokeTarget(kernel, { scheduleArn: arn, groupArn, target: config.Target, scheduledAt: dueAt }, signal, report)
        .catch((error: unknown) => signal.aborted || report(`EventBridge Scheduler: ${arn}: ${String(error)}`))
        .finally(() => underWay--);
    }
  };

  const begin = async (scope: Scope, config: z.output<typeof scheduleInput>, before: Schedule | undefined): Promise<string> => {
    const groupArn = arnOf(scope, 'schedule-group', config.GroupName);
    if (!groupExists(scope, config.GroupName)) notFound(`Schedule group ${config.GroupName} does not exist.`);
    const rate = rateOf(config.ScheduleExpression);
    await assumeExecutionRole(kernel, config.Target.RoleArn, groupArn).catch((error: unknown) => {
      if (!(error instanceof AwsError) || error.code !== 'AccessDenied') throw error;
      const message = 'The execution role you provide must allow AWS EventBridge Scheduler to assume the role.';
      throw new AwsError('ValidationException', `${message} ${error.message}`);
    });
    const arn = scheduleArn(scope, config);
    const now = kernel.clock.now();
    before?.ended.abort(new AwsError('ConflictException', 'The schedule was changed.'));
    const schedule: Schedule = {
      arn,
      groupArn,
      config,
      rate,
      createdAt: before?.createdAt ?? now,
      modifiedAt: now,
      dueAt: config.State === 'ENABLED' ? now + rate : undefined,
      ended: new AbortController(),
    };
    schedules.set(arn, schedule);
    run(schedule).catch((error: unknown) => {
      if (!schedule.ended.signal.aborted) report(`EventBridge Scheduler: ${arn}: ${String(error)}`);
    });
    return arn;
  };
  const end = (schedule: Schedule): void => {
    schedules.delete(schedule.arn);
    schedule.ended.abort(new AwsError('ResourceNotFoundException', 'The schedule was deleted.', 404));
  };

  const isMoving = (): boolean =>
    underWay > 0 || [...schedules.values()].some(({ dueAt }) => dueAt !== undefined && dueAt <= kernel.clock.now());
  return {
    signingName: 'scheduler',
    protocol: 'rest-json',
    route,
    // The next tick is always ahead: waiting for it is rest.
    busy: isMoving,
    async close() {
      for (const { ended } of schedules.values()) ended.abort(new AwsError('InternalServerException', 'The local cloud is closing.', 500));
    },
    operations: {
      CreateSchedule: operation(scheduleInput, {
        needs: (input, scope) => [...need('CreateSchedule')(input, scope), passRole(input.Target.RoleArn)],
        async run(input, scope) {
          if (schedules.has(scheduleArn(scope, input)))
            throw new AwsError('ConflictException', `Schedule ${input.Name} already exists.`, 409);
          return { ScheduleArn: await begin(scope, input, undefined) };
        },
      }),
      UpdateSchedule: operation(scheduleInput, {
        needs: (input, scope) => [...need('UpdateSchedule')(input, scope), passRole(input.Target.RoleArn)],
        run: async (input, scope) => ({ ScheduleArn: await begin(scope, input, scheduleOf(scope, input)) }),
      }),
      GetSchedule: operation(onSchedule, {
        needs: need('GetSchedule'),
        run(input, scope) {
          const { arn, config, createdAt, modifiedAt } = scheduleOf(scope, input);
          const { ClientToken: _once, ...shown } = config;
          return { ...shown, Arn: arn, CreationDate: new Date(createdAt), LastModificationDate: new Date(modifiedAt) };
        },
      }),
      DeleteSchedule: operation(onSchedule.extend({ ClientToken: z.string().optional() }), {
        needs: need('DeleteSchedule'),
        run(input, scope) {
          end(scheduleOf(scope, input));
          return {};
        },
      }),
      CreateScheduleGroup: operation(onGroup.extend({ ClientToken: z.string().optional() }), {
        needs: groupNeed('CreateScheduleGroup'),
        run(input, scope) {
          const arn = arnOf(scope, 'schedule-group', input.Name);
          if (groupExists(scope, input.Name)) throw new AwsError('ConflictException', `Schedule group ${input.Name} already exists.`, 409);
          groups.add(arn);
          return { ScheduleGroupArn: arn };
        },
      }),
      /** Its schedules go with it. */
      DeleteScheduleGroup: operation(onGroup.extend({ ClientToken: z.string().optional() }), {
        needs: groupNeed('DeleteScheduleGroup'),
        run(input, scope) {
          const arn = arnOf(scope, 'schedule-group', input.Name);
          if (!groups.delete(arn)) notFound(`Schedule group ${input.Name} does not exist.`);
          for (const schedule of [...schedules.values()]) if (schedule.groupArn === arn) end(schedule);
          return {};
        },
      }),
    },
  };
}

function notFound(message: string): never {
  throw new AwsError('ResourceNotFoundException', message, 404);
}
