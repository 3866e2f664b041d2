/** The local cloud without a template: for running adapters with stock SDK clients as an administrator. */
import { CreateTableCommand, type CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import { CreateKeyCommand } from '@aws-sdk/client-kms';
import { type AwsClients, awsClients } from '../../local/aws-clients.ts';
import { createClock } from '../../local/core/clock.ts';
import { createKernel, type LocalKernel } from '../../local/core/kernel.ts';
import { startServer } from '../../local/core/server.ts';
import { registerServices } from '../../local/services.ts';

export interface LocalAws {
  readonly accountId: string;
  readonly region: string;
  readonly endpoint: string;
  readonly kernel: LocalKernel;
  readonly admin: AwsClients;
  readonly keyArn: string;
  readonly registryTable: string;
  readonly attributionTable: string;
  /** A table of its own, with the keys `pk` and `sk`, for a contract in which each test begins with nothing. @returns its name */
  makeTable(more?: Indexed): Promise<string>;
  close(): Promise<void>;
}

/** Indexes, and the attributes that are keys of theirs alone. */
type Indexed = Partial<Pick<CreateTableCommandInput, 'AttributeDefinitions' | 'LocalSecondaryIndexes' | 'GlobalSecondaryIndexes'>>;

const string = (AttributeName: string): { AttributeName: string; AttributeType: 'S' } => ({ AttributeName, AttributeType: 'S' });
const hash = { AttributeName: 'pk', KeyType: 'HASH' } as const;
const range = (AttributeName: string): { AttributeName: string; KeyType: 'RANGE' } => ({ AttributeName, KeyType: 'RANGE' });
const index = (IndexName: string, key: string) => ({
  IndexName,
  KeySchema: [hash, range(key)],
  Projection: { ProjectionType: 'ALL' as const },
});

const table = (TableName: string, { AttributeDefinitions = [], ...indexes }: Indexed = {}): CreateTableCommandInput => ({
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [string('pk'), string('sk'), ...AttributeDefinitions],
  KeySchema: [hash, range('sk')],
  ...indexes,
});
const attributionIndexes: Indexed = {
  AttributeDefinitions: ['credentialKey', 'userKey', 'sessionKey'].map(string),
  LocalSecondaryIndexes: [index('byCredential', 'credentialKey'), index('byUser', 'userKey'), index('bySession', 'sessionKey')],
};

/** Starts it with a registry table, an attribution table and a key. */
export async function startLocalAws(): Promise<LocalAws> {
  const kernel = createKernel({ clock: createClock() });
  let endpoint = '';
  registerServices(kernel, { endpoint: () => endpoint, assetRoot: '.' });
  const server = await startServer(kernel, { port: 0 });
  endpoint = server.endpoint;
  const { accountId, region } = kernel;
  const admin = awsClients({ endpoint, region }, kernel.addAccount(accountId));
  const make = (input: CreateTableCommandInput) => admin.dynamodb.send(new CreateTableCommand(input));
  let made = 0;
  await Promise.all([make(table('registry')), make(table('attribution', attributionIndexes))]);
  const { KeyMetadata } = await admin.kms.send(new CreateKeyCommand({}));
  return {
    accountId,
    region,
    endpoint,
    kernel,
    admin,
    keyArn: KeyMetadata?.Arn ?? '',
    registryTable: 'registry',
    attributionTable: 'attribution',
    async makeTable(more) {
      made += 1;
      const name = `made-${made}`;
      await make(table(name, more));
      return name;
    },
    async close() {
      admin.destroy();
      await server.close();
      await kernel.close();
    },
  };
}
