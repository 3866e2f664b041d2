/** Invokes the function behind a method, as API Gateway does: by Lambda's own operations, as a service. */
import { AwsError } from '../core/aws-error.ts';
import type { Kernel } from '../core/service.ts';
import type { Integration } from '../services/apigateway-model.ts';
import type { ResponseStreamEvent } from '../services/lambda-response-channel.ts';
import { badGateway, misconfigured, Refusal } from './refusal.ts';

export interface IntegrationCall {
  readonly integration: Integration;
  /** The API's account. */
  readonly accountId: string;
  /** `…/{stage}/{method}/{resource path}`: what the function's policy may name. */
  readonly sourceArn: string;
  readonly tenantId: string | undefined;
  /** The event, JSON. */
  readonly payload: string;
}

async function invoke(kernel: Kernel, operation: string, call: IntegrationCall): Promise<Record<string, unknown>> {
  const { functionArn } = call.integration;
  const caller = kernel.serviceCaller('apigateway.amazonaws.com', call.accountId, {
    'aws:SourceArn': call.sourceArn,
    'aws:SourceAccount': call.accountId,
  });
  const input = {
    FunctionName: functionArn,
    Payload: call.payload,
    ...(call.tenantId === undefined ? {} : { TenantId: call.tenantId }),
  };
  try {
    return await kernel.call(caller, 'lambda', operation, input, { accountId: functionArn.split(':')[4] ?? call.accountId });
  } catch (error) {
    throw refusalOf(error);
  }
}

/** @throws Refusal INTEGRATION_TIMEOUT, REQUEST_TOO_LARGE, 400 for a tenant ID that Lambda refuses, 500 where it may not be invoked, 502 when it fails. */
export async function invokeBuffered(kernel: Kernel, call: IntegrationCall): Promise<string> {
  const expired = Promise.withResolvers<'expired'>();
  const timer = setTimeout(() => expired.resolve('expired'), call.integration.timeoutMs);
  try {
    const answer = await Promise.race([invoke(kernel, 'Invoke', call), expired.promise]);
    if (answer === 'expired') throw new Refusal('INTEGRATION_TIMEOUT', 'Endpoint request timed out');
    if (answer['FunctionError'] !== undefined) throw badGateway();
    return String(answer['Payload'] ?? '');
  } finally {
    clearTimeout(timer);
  }
}

/** Throws as `invokeBuffered`; a failure of the function itself comes with the events. */
export async function invokeStreaming(kernel: Kernel, call: IntegrationCall): Promise<AsyncIterableIterator<ResponseStreamEvent>> {
  const { EventStream } = await invoke(kernel, 'InvokeWithResponseStream', call);
  if (!isEventStream(EventStream)) throw misconfigured();
  return EventStream;
}

function isEventStream(value: unknown): value is AsyncIterableIterator<ResponseStreamEvent> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function refusalOf(error: unknown): unknown {
  if (!(error instanceof AwsError)) return error;
  if (error.code === 'RequestTooLargeException') return new Refusal('REQUEST_TOO_LARGE', 'Request Too Long');
  // The function has tenant isolation and got no tenant ID, or none that it may have.
  if (error.code === 'InvalidParameterValueException' || error.code === 'ValidationException')
    return new Refusal('BAD_REQUEST_PARAMETERS', 'The request names no tenant');
  return misconfigured();
}
