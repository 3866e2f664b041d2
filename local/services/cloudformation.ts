/**
 * CloudFormation, in any account: stacks from a template, made by the caller's own permissions. Templates are read in
 * `cloudformation-template.ts`, the work is done in `cloudformation-stacks.ts`. No change sets, no service role, no nested stacks; a resource
 * is changed in place or not at all. Source: AWS CloudFormation API Reference; Service Authorization Reference, "AWS CloudFormation".
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { AwsError, notImplemented } from '../core/aws-error.ts';
import type { Kernel, LocalService, Need, Scope } from '../core/service.ts';
import type { LoadedStack } from '../template/load-template.ts';
import { type ParameterValue, parametersOf } from '../template/parameters.ts';
import { ownStackId, type Template } from '../template/template.ts';
import { createStack, deleteStack, isChange, type Stack, type StackCall, updateStack } from './cloudformation-stacks.ts';
import { asValidation, demandCapabilities, invalid, templateOf } from './cloudformation-template.ts';
import { queryOperation } from './query-operation.ts';

const stackName = z.string().regex(/^[a-zA-Z][-a-zA-Z0-9]{0,127}$/);
const nameOrId = z.union([stackName, z.string().regex(/^arn:aws:cloudformation:[a-z0-9-]+:\d{12}:stack\/[^/]+\/[^/]+$/)]);
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);
const tags = z.array(z.strictObject({ Key: z.string().min(1).max(128), Value: z.string().max(256) })).max(50);
const parameter = z.strictObject({ ParameterKey: z.string(), ParameterValue: z.string().optional(), UsePreviousValue: flag.optional() });
const desired = {
  TemplateBody: z.string().min(1).optional(),
  TemplateURL: z.string().min(1).optional(),
  Parameters: z.array(parameter).default([]),
  Capabilities: z.array(z.enum(['CAPABILITY_IAM', 'CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'])).default([]),
};
const createInput = z.strictObject({
  StackName: stackName,
  ...desired,
  Tags: tags.default([]),
  OnFailure: z.literal('ROLLBACK').optional(),
  ClientRequestToken: z.string().optional(),
});
const updateInput = z.strictObject({
  StackName: nameOrId,
  ...desired,
  UsePreviousTemplate: flag.default(false),
  Tags: tags.optional(),
  ClientRequestToken: z.string().optional(),
});
const stable = /^(?:CREATE|UPDATE|UPDATE_ROLLBACK)_COMPLETE$/;

/** CloudFormation, and the way in for the stack that the cloud itself was loaded with: it was made without this service, and is shown by it. */
export interface CloudFormationService extends LocalService {
  /** @param stackName the one that its resources' names begin with */
  adopt(stackName: string, loaded: LoadedStack): void;
}

export function createCloudFormation(kernel: Kernel): CloudFormationService {
  /** By ID, in the order of their making; deleted ones stay. */
  const stacks = new Map<string, Stack>();
  let underWay = 0;

  const find = (scope: Scope, name: string): Stack | undefined =>
    [...stacks.values()].findLast((stack) =>
      name.startsWith('arn:')
        ? stack.id === name && stack.accountId === scope.accountId
        : stack.name === name && stack.accountId === scope.accountId && stack.deletedAt === undefined,
    );
  const stackOf = (scope: Scope, name: string): Stack => {
    const stack = find(scope, name);
    if (stack === undefined) throw invalid(`Stack with id ${name} does not exist`);
    return stack;
  };
  const need = (scope: Scope, action: string, name: string, context: Need['context'] = {}): Need => {
    const missing = name.startsWith('arn:') ? name : `arn:aws:cloudformation:${kernel.region}:${scope.accountId}:stack/${name}/*`;
    return { action: `cloudformation:${action}`, resource: find(scope, name)?.id ?? missing, context };
  };
  /** Works on after the answer, in the caller's name. */
  const begin = (scope: Scope, stack: Stack, work: (call: StackCall) => Promise<void>): void => {
    underWay++;
    const call: StackCall = async (service, operation, input) =>
      z.record(z.string(), z.unknown()).parse(await scope.callVia(service, operation, input));
    work(call)
      .catch((error: unknown) => {
        stack.status = stack.status.replace('IN_PROGRESS', 'FAILED');
        stack.reason = `The local cloud has failed: ${error instanceof Error ? error.message : String(error)}`;
      })
      .finally(() => underWay--);
  };

  return {
    signingName: 'cloudformation',
    protocol: 'query',
    xmlNamespace: 'http://cloudformation.amazonaws.com/doc/2010-05-15/',
    busy: () => underWay > 0,
    adopt(stackName, { source, parameters, resources, outputs }) {
      const { accountId, region } = kernel;
      const stack: Stack = {
        id: ownStackId({ stackName, accountId, region }),
        name: stackName,
        accountId,
        region,
        createdAt: new Date(kernel.clock.now()),
        status: 'CREATE_COMPLETE',
        reason: undefined,
        source,
        parameters,
        capabilities: ['CAPABILITY_NAMED_IAM'],
        tags: [],
        outputs: Object.entries(outputs).map(([key, value]) => ({ key, value, description: undefined })),
        resources: new Map(
          Object.entries(resources).map(([id, { type, ...created }]) => [id, { type, properties: {}, created, isRetained: true }]),
        ),
      };
      stacks.set(stack.id, stack);
    },
    operations: {
      ...queryOperation(
        'CreateStack',
        createInput,
        (input, scope) => [need(scope, 'CreateStack', input.StackName, requested(input.TemplateURL, input.Tags))],
        async (input, scope) => {
          const source = await templateOf(input, scope);
          demandCapabilities(source, input.Capabilities);
          const parameters = parametersFor(source, input.Parameters, undefined);
          if (find(scope, input.StackName) !== undefined)
            throw new AwsError('AlreadyExistsException', `Stack [${input.StackName}] already exists`);
          const stack: Stack = {
            id: `arn:aws:cloudformation:${kernel.region}:${scope.accountId}:stack/${input.StackName}/${randomUUID()}`,
            name: input.StackName,
            accountId: scope.accountId,
            region: kernel.region,
            createdAt: new Date(scope.clock.now()),
            status: 'CREATE_IN_PROGRESS',
            reason: 'User Initiated',
            source,
            parameters,
            capabilities: input.Capabilities,
            tags: input.Tags,
            outputs: [],
            resources: new Map(),
          };
          stacks.set(stack.id, stack);
          begin(scope, stack, (call) => createStack(stack, call));
          return { StackId: stack.id };
        },
      ),
      ...queryOperation(
        'UpdateStack',
        updateInput,
        (input, scope) => [need(scope, 'UpdateStack', input.StackName, requested(input.TemplateURL, input.Tags ?? []))],
        async (input, scope) => {
          const stack = stackOf(scope, input.StackName);
          if (!stable.test(stack.status)) throw invalid(`Stack:${stack.id} is in ${stack.status} state and can not be updated.`);
          const source = input.UsePreviousTemplate ? stack.source : await templateOf(input, scope);
          demandCapabilities(source, input.Capabilities);
          const parameters = parametersFor(source, input.Parameters, stack.parameters);
          if (!isChange(stack, source, parameters)) throw invalid('No updates are to be performed.');
          // Changes meet no one half way: from here to the answer nothing waits.
          if (!stable.test(stack.status)) throw invalid(`Stack:${stack.id} is in ${stack.status} state and can not be updated.`);
          stack.status = 'UPDATE_IN_PROGRESS';
          stack.reason = 'User Initiated';
          stack.updatedAt = new Date(scope.clock.now());
          const to = { source, parameters, capabilities: input.Capabilities, tags: input.Tags ?? stack.tags };
          begin(scope, stack, (call) => updateStack(stack, to, call));
          return { StackId: stack.id };
        },
      ),
      ...queryOperation(
        'DeleteStack',
        z.strictObject({ StackName: nameOrId, ClientRequestToken: z.string().optional() }),
        (input, scope) => [need(scope, 'DeleteStack', input.StackName)],
        (input, scope) => {
          const stack = find(scope, input.StackName);
          // Deleting what is not there succeeds ("DeleteStack").
          if (stack === undefined || stack.status === 'DELETE_COMPLETE') return {};
          if (stack.status.endsWith('_IN_PROGRESS')) throw notImplemented(`deleting a stack that is in ${stack.status}`);
          stack.status = 'DELETE_IN_PROGRESS';
          stack.reason = 'User Initiated';
          begin(scope, stack, (call) => deleteStack(stack, call, new Date(scope.clock.now())));
          return {};
        },
      ),
      ...queryOperation(
        'DescribeStacks',
        z.strictObject({ StackName: nameOrId.optional(), NextToken: z.string().optional() }),
        (input, scope) => [need(scope, 'DescribeStacks', input.StackName ?? '*')],
        ({ StackName }, scope) => {
          const own = [...stacks.values()].filter(({ accountId, deletedAt }) => accountId === scope.accountId && deletedAt === undefined);
          return { Stacks: (StackName === undefined ? own : [stackOf(scope, StackName)]).map(shown) };
        },
      ),
      ...queryOperation(
        'ListStackResources',
        z.strictObject({ StackName: nameOrId, NextToken: z.string().optional() }),
        (input, scope) => [need(scope, 'ListStackResources', input.StackName)],
        ({ StackName, NextToken }, scope) => resourcesShown(stackOf(scope, StackName), Number(NextToken ?? 0)),
      ),
    },
  };
}

/** A page of the resources, each with what `Ref` gives. A hundred to a page, as in AWS. */
function resourcesShown({ resources, status }: Stack, start: number): object {
  const page = [...resources].slice(start, start + 100);
  const StackResourceSummaries = page.map(([LogicalResourceId, { type, created }]) => ({
    LogicalResourceId,
    PhysicalResourceId: created.physicalId,
    ResourceType: type,
    ResourceStatus: status.startsWith('DELETE') ? 'DELETE_IN_PROGRESS' : 'CREATE_COMPLETE',
  }));
  return { StackResourceSummaries, NextToken: start + 100 < resources.size ? String(start + 100) : undefined };
}

function requested(templateUrl: string | undefined, requestTags: z.output<typeof tags>): Need['context'] {
  return {
    'cloudformation:TemplateUrl': templateUrl,
    ...Object.fromEntries(requestTags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value])),
    ...(requestTags.length === 0 ? {} : { 'aws:TagKeys': requestTags.map(({ Key }) => Key) }),
  };
}

/** @throws AwsError ValidationError; `previous` is what `UsePreviousValue` stands for */
function parametersFor(
  source: Template,
  given: readonly z.output<typeof parameter>[],
  previous: ReadonlyMap<string, ParameterValue> | undefined,
): ReadonlyMap<string, ParameterValue> {
  const values = given.map(({ ParameterKey, ParameterValue, UsePreviousValue }): [string, string] => {
    const before = UsePreviousValue === true ? previous?.get(ParameterKey) : undefined;
    const value = ParameterValue ?? (before === undefined ? undefined : [before].flat().join(','));
    if (value === undefined) throw invalid(`Parameter ${ParameterKey} has neither a value nor a previous one.`);
    return [ParameterKey, value];
  });
  return asValidation(() => parametersOf(source, Object.fromEntries(values)));
}

function shown(stack: Stack): object {
  const { source, parameters, outputs } = stack;
  return {
    StackId: stack.id,
    StackName: stack.name,
    Description: source.Description,
    Parameters: [...parameters].map(([ParameterKey, value]) => ({
      ParameterKey,
      ParameterValue: source.Parameters[ParameterKey]?.NoEcho === true ? '****' : [value].flat().join(','),
    })),
    CreationTime: stack.createdAt,
    LastUpdatedTime: stack.updatedAt,
    DeletionTime: stack.deletedAt,
    StackStatus: stack.status,
    StackStatusReason: stack.reason,
    DisableRollback: false,
    Capabilities: stack.capabilities,
    Outputs: outputs.map(({ key, value, description }) => ({ OutputKey: key, OutputValue: value, Description: description })),
    Tags: stack.tags,
  };
}
