import { type CloudFormationClient, ListStackResourcesCommand, type ListStackResourcesCommandOutput } from '@aws-sdk/client-cloudformation';
import { aws } from '../../shared/aws-errors.ts';
import type { StackResource } from './resolve-reference.ts';

/**
 * What CloudFormation has in the stack, by logical ID.
 *
 * @throws CordonError as `aws`
 */
export async function readStack(client: CloudFormationClient, StackName: string): Promise<ReadonlyMap<string, StackResource>> {
  const found = new Map<string, StackResource>();
  let NextToken: string | undefined;
  do {
    const page: ListStackResourcesCommandOutput = await aws('listing the resources of the stack', () =>
      client.send(new ListStackResourcesCommand({ StackName, NextToken })),
    );
    for (const { LogicalResourceId, PhysicalResourceId, ResourceType, ResourceStatus } of page.StackResourceSummaries ?? [])
      if (LogicalResourceId !== undefined && PhysicalResourceId !== undefined && ResourceStatus !== 'DELETE_COMPLETE')
        found.set(LogicalResourceId, { type: ResourceType ?? '', physicalId: PhysicalResourceId });
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
  return found;
}
