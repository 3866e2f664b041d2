/** Types that are accepted and do nothing: nothing of Cordon's behaviour hangs on them, and their permissions are not Cordon's to prove. */
import type { ResourceContext, ResourceHandler, ResourceHandlers } from '../resource-handler.ts';

const inert = (describe: (context: ResourceContext) => { physicalId: string; attributes: Record<string, string> }): ResourceHandler => ({
  create: async (_, context) => describe(context),
});

export const inertResources: ResourceHandlers = {
  /** Nobody is there to be alarmed: the metric's source (a dead-letter queue's depth) can be read directly. */
  'AWS::CloudWatch::Alarm': inert(({ accountId, region, physicalName }) => {
    const name = physicalName(255);
    return { physicalId: name, attributes: { Arn: `arn:aws:cloudwatch:${region}:${accountId}:alarm:${name}` } };
  }),
  /** What alarms count: the events themselves can be read. */
  'AWS::Logs::MetricFilter': inert(({ physicalName }) => ({ physicalId: physicalName(512), attributes: {} })),
  /** The account's role for API Gateway's own logs: the local gateway writes none. */
  'AWS::ApiGateway::Account': inert(({ physicalName }) => ({ physicalId: physicalName(64), attributes: {} })),
  /** A page for people in AWS's console. */
  'AWS::CloudWatch::Dashboard': inert(({ physicalName }) => ({ physicalId: physicalName(255), attributes: {} })),
  'AWS::CDK::Metadata': inert(({ physicalName }) => ({ physicalId: physicalName(256), attributes: {} })),
};
