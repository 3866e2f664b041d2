import { z } from 'zod';
import { ruleStates } from '../../services/eventbridge-store.ts';
import { type ResourceHandlers, resource, tagList, textOf } from '../resource-handler.ts';

export const eventsResources: ResourceHandlers = {
  'AWS::Events::EventBus': resource(
    z.strictObject({ Name: z.string(), Description: z.string().optional(), Policy: z.looseObject({}).optional(), Tags: tagList }),
    {},
    async ({ Policy, ...properties }, { call }) => {
      const Arn = textOf(await call('events', 'CreateEventBus', properties), 'EventBusArn');
      if (Policy !== undefined) await call('events', 'PutPermission', { EventBusName: properties.Name, Policy: JSON.stringify(Policy) });
      return { physicalId: properties.Name, attributes: { Arn, Name: properties.Name } };
    },
  ),
  'AWS::Events::Rule': resource(
    z.strictObject({
      Name: z.string().optional(),
      Description: z.string().optional(),
      EventBusName: z.string().optional(),
      EventPattern: z.looseObject({}),
      State: z.enum(ruleStates).optional(),
      Targets: z.array(z.looseObject({})).optional(),
    }),
    {},
    async ({ EventPattern, Targets = [], Name: given, ...properties }, { call, physicalName }) => {
      const Name = given ?? physicalName(64);
      const bus = properties.EventBusName;
      const Arn = textOf(await call('events', 'PutRule', { ...properties, Name, EventPattern: JSON.stringify(EventPattern) }), 'RuleArn');
      if (Targets.length > 0)
        await call('events', 'PutTargets', { Rule: Name, ...(bus === undefined ? {} : { EventBusName: bus }), Targets });
      return { physicalId: bus === undefined ? Name : `${bus}|${Name}`, attributes: { Arn } };
    },
  ),
};
