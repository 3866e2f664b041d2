/** A function's configuration: what is accepted, what is kept, how it is described. Source: Lambda API Reference, `CreateFunction`. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Need } from '../core/service.ts';
import type { PolicyDocument } from '../iam/policy.ts';
import type { Environments } from './lambda-environments.ts';
import type { EnvironmentSettings } from './lambda-worker.ts';

const settings = {
  Role: z.string().regex(/^arn:aws:iam::\d{12}:role\/.+$/),
  Handler: z.string().regex(/^[\w-]+\.[\w-]+$/, 'must be {file}.{export}'),
  Runtime: z.literal('nodejs24.x', 'the local cloud runs nodejs24.x'),
  Description: z.string().max(256),
  Timeout: z.number().int().min(1).max(900),
  MemorySize: z.number().int().min(128).max(10_240),
  Environment: z.strictObject({ Variables: z.record(z.string().regex(/^[A-Za-z]\w+$/), z.string()).default({}) }),
  /** Accepted: there is no X-Ray to send to. */
  TracingConfig: z.strictObject({ Mode: z.enum(['Active', 'PassThrough']) }),
  LoggingConfig: z.strictObject({
    LogGroup: z.string().optional(),
    LogFormat: z.enum(['Text', 'JSON']).optional(),
    ApplicationLogLevel: z.string().optional(),
    SystemLogLevel: z.string().optional(),
  }),
};
export const createFunctionInput = z.strictObject({
  FunctionName: z.string().regex(/^[\w-]{1,64}$/),
  Code: z.strictObject({ S3Bucket: z.string(), S3Key: z.string() }),
  Role: settings.Role,
  Handler: settings.Handler,
  Runtime: settings.Runtime,
  Description: settings.Description.default(''),
  Timeout: settings.Timeout.default(3),
  MemorySize: settings.MemorySize.default(128),
  Environment: settings.Environment.default({ Variables: {} }),
  TracingConfig: settings.TracingConfig.default({ Mode: 'PassThrough' }),
  LoggingConfig: settings.LoggingConfig.default({}),
  /** Threads of this process have its architecture, whatever is asked for: bundles hold no native code. */
  Architectures: z
    .array(z.enum(['arm64', 'x86_64']))
    .length(1)
    .default(['x86_64']),
  PackageType: z.literal('Zip').default('Zip'),
  /** Only here: it cannot be changed later ("Tenant isolation"). */
  TenancyConfig: z.strictObject({ TenantIsolationMode: z.literal('PER_TENANT') }).optional(),
  Tags: z.record(z.string(), z.string()).default({}),
});
export const updateFunctionInput = z.strictObject({ FunctionName: z.string(), ...z.object(settings).partial().shape });

type FunctionConfig = z.output<typeof createFunctionInput>;

export interface PermissionStatement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Principal: Readonly<Record<string, string>> | '*';
  readonly Action: string;
  readonly Resource: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface LambdaFunction {
  readonly arn: string;
  readonly accountId: string;
  readonly assetDirectory: string;
  config: FunctionConfig;
  modifiedAt: number;
  reservedConcurrency?: number;
  policy?: PolicyDocument & { readonly Statement: readonly PermissionStatement[] };
  readonly environments: Environments;
}

/** `{S3Key: "<hash>.zip"}` is the folder `asset.<hash>` of the synthesized app. @throws AwsError when it is not there. */
export function assetDirectoryOf(assetRoot: string, key: string): string {
  const directory = join(assetRoot, `asset.${basename(key, '.zip')}`);
  if (!/^[\w.-]+\.zip$/.test(key) || !existsSync(join(directory, 'index.mjs')))
    throw new AwsError(
      'InvalidParameterValueException',
      `There is no bundled asset with an index.mjs for the S3 key ${key}: synthesize the app first.`,
    );
  return directory;
}

const logGroupOf = (config: FunctionConfig): string => config.LoggingConfig.LogGroup ?? `/aws/lambda/${config.FunctionName}`;

export function environmentSettings(fn: LambdaFunction): EnvironmentSettings {
  const { config } = fn;
  return {
    functionName: config.FunctionName,
    functionArn: fn.arn,
    handler: config.Handler,
    assetDirectory: fn.assetDirectory,
    memorySize: config.MemorySize,
    logGroupName: logGroupOf(config),
    variables: config.Environment.Variables,
    timeoutSeconds: config.Timeout,
  };
}

/** The answer of `GetFunctionConfiguration`. */
export function describeFunction(fn: LambdaFunction): Record<string, unknown> {
  const { Code, Tags: _separate, ...config } = fn.config;
  return {
    ...config,
    FunctionArn: fn.arn,
    LoggingConfig: { LogFormat: 'Text', ...config.LoggingConfig, LogGroup: logGroupOf(fn.config) },
    CodeSha256: basename(Code.S3Key, '.zip'),
    Version: '$LATEST',
    State: 'Active',
    LastUpdateStatus: 'Successful',
    LastModified: new Date(fn.modifiedAt).toISOString().replace('Z', '+0000'),
  };
}

/** The function's name in any of the forms the API takes: name, ARN, `{account}:function:{name}`. */
export function functionArnOf(name: string, region: string, accountId: string): string {
  const match = /^(?:(?:arn:aws:lambda:(?<region>[\w-]+):)?(?<account>\d{12}):function:)?(?<name>[\w-]{1,64})$/.exec(name)?.groups;
  if (match?.['name'] === undefined)
    throw new AwsError('ValidationException', 'The parameter FunctionName is not valid: versions and aliases are not implemented here.');
  return `arn:aws:lambda:${match['region'] ?? region}:${match['account'] ?? accountId}:function:${match['name']}`;
}

export function functionNeed(action: string, arn: string, fn: LambdaFunction | undefined): Need {
  return {
    action: `lambda:${action}`,
    resource: arn,
    resourceAccountId: arn.split(':')[4] ?? '',
    context: Object.fromEntries(Object.entries(fn?.config.Tags ?? {}).map(([key, value]) => [`aws:ResourceTag/${key}`, value])),
    ...(fn?.policy === undefined ? {} : { resourcePolicy: { name: `function ${fn.config.FunctionName}`, document: fn.policy } }),
  };
}
