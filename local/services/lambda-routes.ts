/** Lambda's HTTP binding: which path is which operation, and what of a result is status, header or raw body. Source: Lambda API Reference. */
import { AwsError } from '../core/aws-error.ts';
import type { Input, LocalService } from '../core/service.ts';

type Route = readonly [method: string, path: RegExp, operation: string];

const name = '(?<FunctionName>[^/]+)';
const functions = '^/2015-03-31/functions';
const mappings = '^/2015-03-31/event-source-mappings';
const routes: readonly Route[] = [
  ['POST', new RegExp(`${functions}/?$`), 'CreateFunction'],
  ['GET', new RegExp(`${functions}/?$`), 'ListFunctions'],
  ['GET', new RegExp(`${functions}/${name}$`), 'GetFunction'],
  ['DELETE', new RegExp(`${functions}/${name}$`), 'DeleteFunction'],
  ['GET', new RegExp(`${functions}/${name}/configuration$`), 'GetFunctionConfiguration'],
  ['PUT', new RegExp(`${functions}/${name}/configuration$`), 'UpdateFunctionConfiguration'],
  ['POST', new RegExp(`${functions}/${name}/invocations$`), 'Invoke'],
  ['POST', new RegExp(`${functions}/${name}/policy$`), 'AddPermission'],
  ['GET', new RegExp(`${functions}/${name}/policy$`), 'GetPolicy'],
  ['DELETE', new RegExp(`${functions}/${name}/policy/(?<StatementId>[^/]+)$`), 'RemovePermission'],
  ['PUT', new RegExp(`^/2017-10-31/functions/${name}/concurrency$`), 'PutFunctionConcurrency'],
  ['DELETE', new RegExp(`^/2017-10-31/functions/${name}/concurrency$`), 'DeleteFunctionConcurrency'],
  ['POST', new RegExp(`${mappings}/?$`), 'CreateEventSourceMapping'],
  ['GET', new RegExp(`${mappings}/?$`), 'ListEventSourceMappings'],
  ['GET', new RegExp(`${mappings}/(?<UUID>[^/]+)$`), 'GetEventSourceMapping'],
  ['DELETE', new RegExp(`${mappings}/(?<UUID>[^/]+)$`), 'DeleteEventSourceMapping'],
];

export const route: NonNullable<LocalService['route']> = (method, path, query, body, headers) => {
  for (const [routeMethod, pattern, operation] of routes) {
    const match = routeMethod === method ? pattern.exec(path) : null;
    if (match === null) continue;
    const fromPath = Object.fromEntries(Object.entries(match.groups ?? {}).map(([key, value]) => [key, decodeURIComponent(value)]));
    if (operation === 'Invoke') return { operation, input: { ...fromPath, ...invokeInput(query, body, headers) } };
    return { operation, input: { ...parseBody(body), ...Object.fromEntries(query), ...fromPath } };
  }
  return undefined;
};

function invokeInput(query: URLSearchParams, body: Uint8Array, headers: Readonly<Record<string, string>>): Input {
  const type = headers['x-amz-invocation-type'];
  const qualifier = query.get('Qualifier');
  const tenant = headers['x-amz-tenant-id'];
  return {
    Payload: Buffer.from(body).toString(),
    ...(type === undefined ? {} : { InvocationType: type }),
    ...(headers['x-amz-log-type'] === undefined ? {} : { LogType: headers['x-amz-log-type'] }),
    ...(qualifier === null ? {} : { Qualifier: qualifier }),
    ...(tenant === undefined ? {} : { TenantId: tenant }),
  };
}

function parseBody(body: Uint8Array): Input {
  if (body.length === 0) return {};
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString());
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Answered below; the parser's message would quote the body.
  }
  throw new AwsError('InvalidRequestContentException', 'Could not parse request body into json.');
}

const statuses: Readonly<Record<string, number>> = {
  CreateFunction: 201,
  AddPermission: 201,
  CreateEventSourceMapping: 202,
  DeleteEventSourceMapping: 202,
  DeleteFunction: 204,
  DeleteFunctionConcurrency: 204,
  RemovePermission: 204,
};

export const respond: NonNullable<LocalService['respond']> = (operation, result) => {
  if (operation === 'Invoke') {
    const { StatusCode, FunctionError, Payload } = result;
    return {
      status: Number(StatusCode),
      headers: {
        'x-amz-executed-version': '$LATEST',
        ...(typeof FunctionError === 'string' ? { 'x-amz-function-error': FunctionError } : {}),
      },
      body: typeof Payload === 'string' ? Payload : '',
    };
  }
  const status = statuses[operation] ?? 200;
  return { status, body: status === 204 ? '' : JSON.stringify(result) };
};
