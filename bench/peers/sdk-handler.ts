/** What a function with the SDK's client needs to put one entry on record: the measure for the broker's own calls. */
import { DynamoDBClient, ExecuteStatementCommand } from '@aws-sdk/client-dynamodb';

const client = new DynamoDBClient({});

export async function handler(): Promise<void> {
  const Statement = `INSERT INTO "attribution" VALUE {'pk': ?, 'sk': ?}`;
  await client.send(new ExecuteStatementCommand({ Statement, Parameters: [{ S: 'TENANT#bench#2026-11-22' }, { S: '1#INTENT' }] }));
}
