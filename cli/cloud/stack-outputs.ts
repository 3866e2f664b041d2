import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { z } from 'zod';
import { aws, isAwsError } from '../../functions/shared/aws-errors.ts';
import { CommandError } from '../command-error.ts';
import type { Place } from './place.ts';

const needed = z.object({
  EventBusName: z.string(),
  EventLogGroup: z.string(),
  RegistryTable: z.string(),
  AttributionTable: z.string(),
  IsolationTable: z.string(),
  TenantAuditorRoleArn: z.string(),
  FunctionTenantsArn: z.string(),
});

/**
 * The place of a deployed stack, from its outputs.
 *
 * @throws CommandError STACK_UNKNOWN; CordonError as `aws`
 */
export async function describeStack(client: CloudFormationClient, stackName: string): Promise<Place> {
  const outputs = await aws(`reading the outputs of the stack ${stackName}`, async () => {
    try {
      const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stackName }));
      return (Stacks?.[0]?.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }): readonly [string, string] => [
        OutputKey,
        OutputValue,
      ]);
    } catch (error) {
      // CloudFormation's answer for a stack that is not there.
      if (isAwsError(error, 'ValidationError')) throw unknownStack(stackName, 'there is none in this account and Region', error);
      throw error;
    }
  });
  return placeOf(stackName, Object.fromEntries(outputs));
}

/** Pure. @throws CommandError STACK_UNKNOWN */
export function placeOf(stackName: string, outputs: Readonly<Record<string, string>>): Place {
  const parsed = needed.safeParse(outputs);
  if (!parsed.success) {
    const missing = parsed.error.issues.map(({ path }) => path.join('.')).join(', ');
    throw unknownStack(stackName, `it lacks the output(s) ${missing}, so that it is not one of Cordon`);
  }
  return {
    label: `the stack ${stackName}`,
    eventBusName: parsed.data.EventBusName,
    eventLogGroup: parsed.data.EventLogGroup,
    registryTable: parsed.data.RegistryTable,
    attributionTable: parsed.data.AttributionTable,
    isolationTable: parsed.data.IsolationTable,
    auditorRoleArn: parsed.data.TenantAuditorRoleArn,
    tenantsFunctionArn: parsed.data.FunctionTenantsArn,
    queues: queuesOf(outputs),
  };
}

/** `QueueTenantsUrl` and `QueueTenantsDlqUrl` are the two of `tenants`. */
function queuesOf(outputs: Readonly<Record<string, string>>): Place['queues'] {
  const queues: Record<string, { url: string; dlqUrl: string }> = {};
  for (const [key, dlqUrl] of Object.entries(outputs)) {
    const name = /^Queue(\w+)DlqUrl$/.exec(key)?.[1];
    const url = name === undefined ? undefined : outputs[`Queue${name}Url`];
    if (name !== undefined && url !== undefined) queues[name.charAt(0).toLowerCase() + name.slice(1)] = { url, dlqUrl };
  }
  return queues;
}

function unknownStack(stackName: string, why: string, cause?: unknown): CommandError {
  return new CommandError('STACK_UNKNOWN', `The stack ${stackName} cannot be used: ${why}. Name yours with --stack and --region.`, {
    cause,
  });
}
