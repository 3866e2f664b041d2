import { z } from 'zod';
import { type ResourceHandlers, resource, tagList, textOf } from '../resource-handler.ts';

/** What `CreateSchedule` itself checks is passed on as it stands: it refuses what it does not know. */
const passedOn = z.unknown().optional();

export const schedulerResources: ResourceHandlers = {
  'AWS::Scheduler::Schedule': resource(
    z.strictObject({
      Name: z.string().optional(),
      GroupName: z.string().optional(),
      Description: passedOn,
      ScheduleExpression: passedOn,
      ScheduleExpressionTimezone: passedOn,
      State: passedOn,
      StartDate: passedOn,
      EndDate: passedOn,
      KmsKeyArn: passedOn,
      FlexibleTimeWindow: passedOn,
      Target: passedOn,
    }),
    {},
    async (properties, { call, physicalName }) => {
      const Name = properties.Name ?? physicalName(64);
      return {
        physicalId: Name,
        attributes: { Arn: textOf(await call('scheduler', 'CreateSchedule', { ...properties, Name }), 'ScheduleArn') },
      };
    },
  ),
  'AWS::Scheduler::ScheduleGroup': resource(
    z.strictObject({ Name: z.string().optional(), Tags: tagList }),
    {},
    async ({ Name: given }, context) => {
      const Name = given ?? context.physicalName(64);
      return {
        physicalId: Name,
        attributes: { Arn: textOf(await context.call('scheduler', 'CreateScheduleGroup', { Name }), 'ScheduleGroupArn') },
      };
    },
  ),
};
