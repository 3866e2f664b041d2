import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { aws } from '../../functions/shared/aws-errors.ts';
import type { Io } from '../io.ts';
import { readLocalProfile } from './local-profile.ts';
import type { Place } from './place.ts';
import { describeStack } from './stack-outputs.ts';

interface ClientConfig {
  readonly endpoint?: string;
  readonly region?: string;
  readonly profile?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };
}

/** A deployment of Cordon, with the operator's credentials and no others. */
export interface Cloud extends Place {
  readonly dynamodb: DynamoDBClient;
  readonly events: EventBridgeClient;
  readonly logs: CloudWatchLogsClient;
  readonly sqs: SQSClient;
  readonly sts: STSClient;
  /** Clients of the same place with other credentials. */
  readonly config: Pick<ClientConfig, 'endpoint' | 'region'>;
  /** Clients of other services with the caller's own. */
  readonly ownConfig: ClientConfig;
  /** Who gives the command, as AWS says: the part of the ARN that names a person or a role session; and what time it is there, in milliseconds since the epoch. */
  caller(): Promise<{ readonly name: string; readonly now: number }>;
  close(): void;
}

export interface Target {
  /** `local`: the local cloud that runs from this directory. `environment`: whatever credentials the environment gives. Any other: an AWS profile. */
  readonly profile: string;
  readonly region?: string | undefined;
  readonly stack: string;
}

/** @throws CommandError NO_LOCAL_CLOUD | STACK_UNKNOWN; CordonError as `aws` */
export async function openCloud(io: Pick<Io, 'clock' | 'directory'>, { profile, region, stack }: Target): Promise<Cloud> {
  if (profile === 'local') {
    const { place, endpoint, region: itsRegion, credentials } = readLocalProfile(io.directory);
    return cloudAt(io, place, { endpoint, region: itsRegion, credentials });
  }
  const config: ClientConfig = { ...(profile !== 'environment' && { profile }), ...(region !== undefined && { region }) };
  const cloudFormation = new CloudFormationClient(config);
  try {
    const place = await describeStack(cloudFormation, stack);
    const itsRegion = await cloudFormation.config.region();
    return cloudAt(io, { ...place, label: `${place.label} in ${itsRegion}` }, { ...config, region: itsRegion });
  } finally {
    cloudFormation.destroy();
  }
}

function cloudAt(io: Pick<Io, 'clock'>, place: Place, config: ClientConfig): Cloud {
  const sts = new STSClient(config);
  const clients = {
    dynamodb: new DynamoDBClient(config),
    events: new EventBridgeClient(config),
    logs: new CloudWatchLogsClient(config),
    sqs: new SQSClient(config),
  };
  return {
    ...place,
    ...clients,
    sts,
    ownConfig: config,
    config: {
      ...(config.endpoint !== undefined && { endpoint: config.endpoint }),
      ...(config.region !== undefined && { region: config.region }),
    },
    async caller() {
      const { Arn = '' } = await aws('asking who is calling', () => sts.send(new GetCallerIdentityCommand({})));
      // `user/ana`, `assumed-role/Operations/ana`, as long as an event may name it. The SDK has learned from the answer how far this machine's clock is off.
      return { name: Arn.split(':').slice(5).join(':').slice(-128) || 'unknown', now: io.clock() + sts.config.systemClockOffset };
    },
    close() {
      for (const client of [...Object.values(clients), sts]) client.destroy();
    },
  };
}
