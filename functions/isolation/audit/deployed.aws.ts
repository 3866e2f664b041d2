import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { IAMClient } from '@aws-sdk/client-iam';
import type { KMSClient } from '@aws-sdk/client-kms';
import type { Deployed } from './deployed.ts';
import { readIdentities } from './read-identities.iam.ts';
import { readDedicatedKeys, readKeys } from './read-keys.kms.ts';
import { readLogPolicies } from './read-log-policies.logs.ts';
import { type ResourceClients, readResources } from './read-resources.aws.ts';
import { readStack } from './read-stack.cloudformation.ts';

export interface DeployedClients {
  readonly stackName: string;
  readonly iam: IAMClient;
  readonly kms: KMSClient;
  readonly cloudFormation: CloudFormationClient;
  readonly logs: CloudWatchLogsClient;
  readonly resources: ResourceClients;
}

/** @param clients with the credentials of the audit's own role, which reads policies and nothing of any tenant */
export function createDeployed({ stackName, iam, kms, cloudFormation, logs, resources }: DeployedClients): Deployed {
  return {
    stackResources: () => readStack(cloudFormation, stackName),
    identities: () => readIdentities(iam),
    dedicatedKeys: () => readDedicatedKeys(kms),
    keys: (keyIds) => readKeys(kms, keyIds),
    async resources(stack) {
      const looked = [await readResources(resources, stack), await readLogPolicies(logs, stack)];
      return { facts: looked.flatMap(({ facts }) => facts), unread: looked.flatMap(({ unread }) => unread) };
    },
  };
}
