/** The API calls that an attempt in `attempts.json` may name, made with the stock SDK. */
import * as dynamodb from '@aws-sdk/client-dynamodb';
import { PutEventsCommand, type PutEventsCommandInput } from '@aws-sdk/client-eventbridge';
import * as iam from '@aws-sdk/client-iam';
import * as kms from '@aws-sdk/client-kms';
import { InvokeCommand, type InvokeCommandInput } from '@aws-sdk/client-lambda';
import { GetResourcesCommand, type GetResourcesCommandInput } from '@aws-sdk/client-resource-groups-tagging-api';
import * as secrets from '@aws-sdk/client-secrets-manager';
import { ReceiveMessageCommand, type ReceiveMessageCommandInput } from '@aws-sdk/client-sqs';
import * as sts from '@aws-sdk/client-sts';
import { z } from 'zod';
import type { AwsClients } from '../aws-clients.ts';

/** Makes one call with the input as the file has it. Rejects as the SDK does. */
export type Call = (clients: AwsClients, input: unknown) => Promise<unknown>;

/** The file's input goes to AWS as it stands, wrong or not: judging it is what the cloud is for. */
function call<Input>(send: (clients: AwsClients, input: Input) => Promise<unknown>): Call {
  const input = z.custom<Input>((value) => typeof value === 'object' && value !== null);
  return (clients, value) => send(clients, input.parse(value));
}

export const calls: Readonly<Record<string, Call>> = {
  'secretsmanager:BatchGetSecretValue': call((c, i: secrets.BatchGetSecretValueCommandInput) =>
    c.secretsmanager.send(new secrets.BatchGetSecretValueCommand(i)),
  ),
  'secretsmanager:CreateSecret': call((c, i: secrets.CreateSecretCommandInput) =>
    c.secretsmanager.send(new secrets.CreateSecretCommand(i)),
  ),
  'secretsmanager:DeleteSecret': call((c, i: secrets.DeleteSecretCommandInput) =>
    c.secretsmanager.send(new secrets.DeleteSecretCommand(i)),
  ),
  'secretsmanager:DescribeSecret': call((c, i: secrets.DescribeSecretCommandInput) =>
    c.secretsmanager.send(new secrets.DescribeSecretCommand(i)),
  ),
  'secretsmanager:GetSecretValue': call((c, i: secrets.GetSecretValueCommandInput) =>
    c.secretsmanager.send(new secrets.GetSecretValueCommand(i)),
  ),
  'secretsmanager:ListSecrets': call((c, i: secrets.ListSecretsCommandInput) => c.secretsmanager.send(new secrets.ListSecretsCommand(i))),
  'secretsmanager:ListSecretVersionIds': call((c, i: secrets.ListSecretVersionIdsCommandInput) =>
    c.secretsmanager.send(new secrets.ListSecretVersionIdsCommand(i)),
  ),
  'secretsmanager:PutResourcePolicy': call((c, i: secrets.PutResourcePolicyCommandInput) =>
    c.secretsmanager.send(new secrets.PutResourcePolicyCommand(i)),
  ),
  'secretsmanager:PutSecretValue': call((c, i: secrets.PutSecretValueCommandInput) =>
    c.secretsmanager.send(new secrets.PutSecretValueCommand(i)),
  ),
  'secretsmanager:TagResource': call((c, i: secrets.TagResourceCommandInput) => c.secretsmanager.send(new secrets.TagResourceCommand(i))),
  'secretsmanager:UntagResource': call((c, i: secrets.UntagResourceCommandInput) =>
    c.secretsmanager.send(new secrets.UntagResourceCommand(i)),
  ),
  'secretsmanager:UpdateSecretVersionStage': call((c, i: secrets.UpdateSecretVersionStageCommandInput) =>
    c.secretsmanager.send(new secrets.UpdateSecretVersionStageCommand(i)),
  ),
  'dynamodb:BatchGetItem': call((c, i: dynamodb.BatchGetItemCommandInput) => c.dynamodb.send(new dynamodb.BatchGetItemCommand(i))),
  'dynamodb:ExecuteStatement': call((c, i: dynamodb.ExecuteStatementCommandInput) =>
    c.dynamodb.send(new dynamodb.ExecuteStatementCommand(i)),
  ),
  'dynamodb:GetItem': call((c, i: dynamodb.GetItemCommandInput) => c.dynamodb.send(new dynamodb.GetItemCommand(i))),
  'dynamodb:PutItem': call((c, i: dynamodb.PutItemCommandInput) => c.dynamodb.send(new dynamodb.PutItemCommand(i))),
  'dynamodb:Query': call((c, i: dynamodb.QueryCommandInput) => c.dynamodb.send(new dynamodb.QueryCommand(i))),
  'dynamodb:Scan': call((c, i: dynamodb.ScanCommandInput) => c.dynamodb.send(new dynamodb.ScanCommand(i))),
  'kms:Decrypt': call((c, i: Omit<kms.DecryptCommandInput, 'CiphertextBlob'> & { CiphertextBlob: string }) =>
    c.kms.send(new kms.DecryptCommand({ ...i, CiphertextBlob: Buffer.from(i.CiphertextBlob, 'base64') })),
  ),
  'kms:GenerateDataKey': call((c, i: kms.GenerateDataKeyCommandInput) => c.kms.send(new kms.GenerateDataKeyCommand(i))),
  'sts:AssumeRole': call((c, i: sts.AssumeRoleCommandInput) => c.sts.send(new sts.AssumeRoleCommand(i))),
  'iam:AttachRolePolicy': call((c, i: iam.AttachRolePolicyCommandInput) => c.iam.send(new iam.AttachRolePolicyCommand(i))),
  'iam:CreateAccessKey': call((c, i: iam.CreateAccessKeyCommandInput) => c.iam.send(new iam.CreateAccessKeyCommand(i))),
  'events:PutEvents': call((c, i: PutEventsCommandInput) => c.events.send(new PutEventsCommand(i))),
  'lambda:Invoke': call((c, i: InvokeCommandInput) => c.lambda.send(new InvokeCommand(i))),
  'sqs:ReceiveMessage': call((c, i: ReceiveMessageCommandInput) => c.sqs.send(new ReceiveMessageCommand(i))),
  'tag:GetResources': call((c, i: GetResourcesCommandInput) => c.tagging.send(new GetResourcesCommand(i))),
};
