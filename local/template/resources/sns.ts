import { z } from 'zod';
import { policyDocument, type ResourceHandlers, resource, textOf } from '../resource-handler.ts';

export const snsResources: ResourceHandlers = {
  'AWS::SNS::Topic': resource(
    z.strictObject({ TopicName: z.string().optional() }),
    {},
    async ({ TopicName: given }, { call, physicalName }) => {
      const TopicName = given ?? physicalName(256);
      const TopicArn = textOf(await call('sns', 'CreateTopic', { Name: TopicName }), 'TopicArn');
      return { physicalId: TopicArn, attributes: { TopicArn, TopicName } };
    },
  ),
  'AWS::SNS::TopicPolicy': resource(
    z.strictObject({ Topics: z.array(z.string()).min(1), PolicyDocument: policyDocument }),
    {},
    async ({ Topics, PolicyDocument }, { call, physicalName }) => {
      for (const TopicArn of Topics)
        await call('sns', 'SetTopicAttributes', { TopicArn, AttributeName: 'Policy', AttributeValue: JSON.stringify(PolicyDocument) });
      return { physicalId: physicalName(256), attributes: {} };
    },
  ),
};
