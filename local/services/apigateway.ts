/**
 * API Gateway's control plane for REST APIs, as far as a template needs it; the data plane is in `../gateway`. There is no HTTP binding: the
 * template loader is the only caller. Source: Amazon API Gateway REST API Reference; Service Authorization Reference, "Amazon API Gateway Management".
 */
import { AwsError } from '../core/aws-error.ts';
import type { Kernel, LocalService } from '../core/service.ts';
import * as inputs from './apigateway-inputs.ts';
import { methodOperations, needOn, newApiId, notFound } from './apigateway-methods.ts';
import type { DeployedStage, RestApi, Snapshot } from './apigateway-model.ts';
import { parseResourcePolicy } from './resource-policy.ts';
import { operation } from './typed-operation.ts';

export interface ApiGatewayService extends LocalService {
  /** Every stage of that name, of whatever API: an API is told by its host name. */
  stagesNamed(name: string): readonly DeployedStage[];
}

export function createApiGateway(kernel: Kernel): ApiGatewayService {
  const apis = new Map<string, RestApi>();
  const { region } = kernel;
  const find = (accountId: string, id: string): RestApi => {
    const api = apis.get(id);
    if (api === undefined || api.accountId !== accountId) throw notFound('Invalid API identifier specified');
    return api;
  };

  return {
    signingName: 'apigateway',
    protocol: 'rest-json',
    stagesNamed: (name) =>
      [...apis.values()].flatMap((api) => {
        const stage = api.stages.get(name);
        const snapshot = stage === undefined ? undefined : api.deployments.get(stage.deploymentId);
        return stage === undefined || snapshot === undefined ? [] : [{ api, stage, snapshot }];
      }),
    operations: {
      CreateRestApi: operation(inputs.createRestApiInput, {
        needs: () => needOn(region, 'POST', '/restapis'),
        run(input, scope) {
          const id = newApiId();
          const rootResourceId = newApiId();
          const root = { id: rootResourceId, parentId: undefined, pathPart: '', path: '/', methods: new Map() };
          const api: RestApi = {
            id,
            accountId: scope.accountId,
            name: input.name,
            description: input.description,
            binaryMediaTypes: input.binaryMediaTypes,
            policy: input.policy === undefined ? undefined : parseResourcePolicy(`API ${input.name}`, input.policy, 'BadRequestException'),
            createdAt: kernel.clock.now(),
            rootResourceId,
            resources: new Map([[rootResourceId, root]]),
            authorizers: new Map(),
            responses: new Map(),
            deployments: new Map(),
            stages: new Map(),
          };
          apis.set(id, api);
          return describe(api);
        },
      }),
      GetRestApi: operation(inputs.onRestApiInput, {
        needs: ({ restApiId }) => needOn(region, 'GET', `/restapis/${restApiId}`),
        run: ({ restApiId }, scope) => describe(find(scope.accountId, restApiId)),
      }),
      ...methodOperations(region, (scope, id) => find(scope.accountId, id)),
      CreateDeployment: operation(inputs.createDeploymentInput, {
        needs: ({ restApiId }) => needOn(region, 'POST', `/restapis/${restApiId}/deployments`),
        run({ restApiId, description }, scope) {
          const api = find(scope.accountId, restApiId);
          const snapshot = freeze(api);
          const id = newApiId();
          api.deployments.set(id, snapshot);
          return { id, createdDate: kernel.clock.now() / 1000, ...(description === undefined ? {} : { description }) };
        },
      }),
      CreateStage: operation(inputs.createStageInput, {
        needs: ({ restApiId }) => needOn(region, 'POST', `/restapis/${restApiId}/stages`),
        run(input, scope) {
          const api = find(scope.accountId, input.restApiId);
          if (api.stages.has(input.stageName)) throw new AwsError('ConflictException', 'Stage already exists', 409);
          if (!api.deployments.has(input.deploymentId)) throw notFound('Invalid deployment identifier specified');
          const settings = new Map([['/tracingEnabled', String(input.tracingEnabled ?? false)]]);
          api.stages.set(input.stageName, {
            name: input.stageName,
            deploymentId: input.deploymentId,
            variables: input.variables,
            settings,
          });
          return { stageName: input.stageName, deploymentId: input.deploymentId, tracingEnabled: input.tracingEnabled ?? false };
        },
      }),
      UpdateStage: operation(inputs.updateStageInput, {
        needs: ({ restApiId, stageName }) => needOn(region, 'PATCH', `/restapis/${restApiId}/stages/${stageName}`),
        run({ restApiId, stageName, patchOperations }, scope) {
          const api = find(scope.accountId, restApiId);
          const stage = api.stages.get(stageName);
          if (stage === undefined) throw notFound('Invalid stage identifier specified');
          for (const { path, value } of patchOperations) {
            if (path !== '/deploymentId') stage.settings.set(path, value);
            else if (api.deployments.has(value)) stage.deploymentId = value;
            else throw notFound('Invalid deployment identifier specified');
          }
          return { stageName, deploymentId: stage.deploymentId };
        },
      }),
      GetStage: operation(inputs.getStageInput, {
        needs: ({ restApiId, stageName }) => needOn(region, 'GET', `/restapis/${restApiId}/stages/${stageName}`),
        run({ restApiId, stageName }, scope) {
          const stage = find(scope.accountId, restApiId).stages.get(stageName);
          if (stage === undefined) throw notFound('Invalid stage identifier specified');
          const { name, deploymentId, variables, settings } = stage;
          return { stageName: name, deploymentId, variables, settings: Object.fromEntries(settings) };
        },
      }),
    },
  };
}

/** @throws AwsError BadRequestException as `CreateDeployment` does when there is nothing to deploy. */
function freeze(api: RestApi): Snapshot {
  const resources = [...api.resources.values()].map((resource) => ({ ...resource, methods: new Map(resource.methods) }));
  const methods = resources.flatMap((resource) => [...resource.methods.values()]);
  if (methods.length === 0) throw new AwsError('BadRequestException', "The REST API doesn't contain any methods");
  if (methods.some(({ integration }) => integration === undefined))
    throw new AwsError('BadRequestException', 'No integration defined for method');
  return {
    resources,
    authorizers: new Map(api.authorizers),
    responses: new Map(api.responses),
    binaryMediaTypes: api.binaryMediaTypes,
    policy: api.policy,
  };
}

function describe({ id, name, description, rootResourceId, binaryMediaTypes, createdAt }: RestApi): object {
  return {
    id,
    name,
    rootResourceId,
    binaryMediaTypes,
    createdDate: createdAt / 1000,
    ...(description === undefined ? {} : { description }),
  };
}
