/** A REST API before functions: the event cloud with API Gateway, its data plane on a port, and a plain HTTP client that hides nothing. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { onTestFinished } from 'vitest';
import { type Gateway, startGateway } from '../../../local/gateway/gateway.ts';
import { createApiGateway } from '../../../local/services/apigateway.ts';
import { allow, makeRole, policy, stringIn, trust } from '../core/cloud.ts';
import { account, type EventCloud, region, startEventCloud } from './event-cloud.ts';

export const functionArn = (name: string): string => `arn:aws:lambda:${region}:${account}:function:${name}`;
export const bufferedUri = (name: string): string =>
  `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${functionArn(name)}/invocations`;
export const streamingUri = (name: string): string =>
  `arn:aws:apigateway:${region}:lambda:path/2021-11-15/functions/${functionArn(name)}/response-streaming-invocations`;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}
export interface MethodSpec {
  readonly path: string;
  readonly httpMethod?: string;
  readonly authorizer?: string;
  readonly integration?: object;
  readonly requestParameters?: Readonly<Record<string, boolean>>;
}

export interface ApiCloud extends EventCloud {
  readonly gateway: Gateway;
  readonly restApiId: string;
  /** What the gateway complains about. */
  readonly defects: string[];
  /** Makes a function that API Gateway may invoke. */
  addFunction(name: string, source: string, settings?: object): Promise<void>;
  /** Makes the method and what of its path is missing; its function is `work` unless the integration says otherwise. */
  addMethod(method: MethodSpec): Promise<void>;
  /** Answers its ID. */
  addAuthorizer(settings?: object): Promise<string>;
  api(operation: string, input: object): Promise<Record<string, unknown>>;
  /** Deploys what there is to the stage `v1`. */
  deploy(): Promise<void>;
  send(path: string, options?: SendOptions): Promise<Answer>;
  /** The answer as soon as its headers are there, and the way to leave. */
  open(path: string, options?: SendOptions): Promise<{ incoming: IncomingMessage; leave(): void }>;
}
export interface SendOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array;
}

export async function startApiCloud(restApi: object = {}): Promise<ApiCloud> {
  const cloud = startEventCloud();
  const apiGateway = createApiGateway(cloud.kernel);
  cloud.kernel.register(apiGateway);
  const defects: string[] = [];
  const gateway = await startGateway(cloud.kernel, { stagesNamed: apiGateway.stagesNamed, reportDefect: (text) => defects.push(text) });
  onTestFinished(() => gateway.close());
  const api = (operation: string, input: object) => cloud.call('apigateway', operation, input);
  const made = await api('CreateRestApi', { name: 'broker', ...restApi });
  const restApiId = stringIn(made, 'id');
  const resources = new Map([['', stringIn(made, 'rootResourceId')]]);
  const Role = await makeRole(cloud.kernel, 'worker', trust({ Service: 'lambda.amazonaws.com' }), policy(allow('logs:*')));

  const resourceAt = async (path: string): Promise<string> => {
    const known = resources.get(path);
    if (known !== undefined) return known;
    const cut = path.lastIndexOf('/');
    const id = stringIn(
      await api('CreateResource', { restApiId, parentId: await resourceAt(path.slice(0, cut)), pathPart: path.slice(cut + 1) }),
      'id',
    );
    resources.set(path, id);
    return id;
  };
  const open: ApiCloud['open'] = (path, { method = 'GET', headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const outgoing = httpRequest(
        gateway.url,
        {
          method,
          path,
          headers: Object.fromEntries(
            Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
          ),
        },
        (incoming) => resolve({ incoming, leave: () => outgoing.destroy() }),
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });

  return {
    ...cloud,
    gateway,
    restApiId,
    defects,
    api,
    open,
    async addFunction(name, source, settings = {}) {
      cloud.writeBundle(name, source);
      await cloud.call('lambda', 'CreateFunction', {
        FunctionName: name,
        Code: { S3Bucket: 'assets', S3Key: `${name}.zip` },
        Role,
        Handler: 'index.handler',
        Runtime: 'nodejs24.x',
        ...settings,
      });
      await cloud.call('lambda', 'AddPermission', {
        FunctionName: name,
        StatementId: 'api',
        Action: 'lambda:InvokeFunction',
        Principal: 'apigateway.amazonaws.com',
        SourceArn: `arn:aws:execute-api:${region}:${account}:${restApiId}/*`,
      });
    },
    async addMethod({ path, httpMethod = 'ANY', authorizer, integration = {}, requestParameters = {} }) {
      const method = { restApiId, resourceId: await resourceAt(path), httpMethod };
      await api('PutMethod', {
        ...method,
        requestParameters,
        ...(authorizer === undefined ? { authorizationType: 'NONE' } : { authorizationType: 'CUSTOM', authorizerId: authorizer }),
      });
      await api('PutIntegration', {
        ...method,
        type: 'AWS_PROXY',
        integrationHttpMethod: 'POST',
        uri: bufferedUri('work'),
        ...integration,
      });
    },
    addAuthorizer: async (settings = {}) =>
      stringIn(
        await api('CreateAuthorizer', {
          restApiId,
          name: 'bearer',
          type: 'REQUEST',
          authorizerUri: bufferedUri('auth'),
          identitySource: 'method.request.header.Authorization',
          ...settings,
        }),
        'id',
      ),
    async deploy() {
      const deploymentId = stringIn(await api('CreateDeployment', { restApiId }), 'id');
      await api('CreateStage', { restApiId, stageName: 'v1', deploymentId }).catch(() =>
        api('UpdateStage', {
          restApiId,
          stageName: 'v1',
          patchOperations: [{ op: 'replace', path: '/deploymentId', value: deploymentId }],
        }),
      );
    },
    async send(path, options) {
      const { incoming } = await open(path, options);
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
      return { status: incoming.statusCode ?? 0, headers: incoming.headers, text: Buffer.concat(chunks).toString() };
    },
  };
}
