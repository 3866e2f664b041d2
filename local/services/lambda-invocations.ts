/** Invoking a function: at once, later, or with its response as a stream. Source: Lambda API Reference, `Invoke`, `InvokeWithResponseStream`. */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { Kernel, Need, Operation, Scope } from '../core/service.ts';
import type { Invocation } from './lambda-environments.ts';
import type { LambdaFunction } from './lambda-functions.ts';
import { createResponseChannel } from './lambda-response-channel.ts';
import { operation } from './typed-operation.ts';

/** Waits between the attempts of an asynchronous invocation, on the cloud's clock. Source: Developer Guide, "How Lambda handles errors and retries with asynchronous invocation". */
const retryAfterMs = [60_000, 120_000];
/** Of a request and of an answer that is not streamed (Developer Guide, "Lambda quotas"). */
const maxPayloadBytes = 6 * 1024 * 1024;

const invocation = z.strictObject({
  FunctionName: z.string(),
  LogType: z.literal('None').optional(),
  Payload: z.string().default(''),
  TenantId: z
    .string()
    .max(256)
    .regex(/^[\w.:/=+\-@ ]+$/)
    .optional(),
});

export function invocationOperations(
  kernel: Kernel,
  deps: {
    find: (scope: Scope, name: string) => LambdaFunction;
    needs: (action: string) => (input: { FunctionName: string }, scope: Scope) => readonly Need[];
    stopped: AbortSignal;
    report: (line: string) => void;
  },
): { operations: Record<string, Operation>; busy: () => boolean; working: () => boolean } {
  let asynchronous = 0;
  /** Of these, how many wait for the clock before they are tried again. */
  let waiting = 0;

  const invokeLater = async (fn: LambdaFunction, what: Invocation): Promise<void> => {
    for (let attempt = 0; ; attempt++) {
      const { functionError } = await fn.environments.invoke(what);
      const wait = retryAfterMs[attempt];
      if (functionError === undefined) return;
      if (wait === undefined) return deps.report(`Lambda gave up on an asynchronous event of ${fn.arn} after ${attempt + 1} attempts.`);
      waiting++;
      await kernel.clock.until(kernel.clock.now() + wait, deps.stopped).finally(() => waiting--);
    }
  };

  return {
    busy: () => asynchronous > 0,
    working: () => asynchronous > waiting,
    operations: {
      Invoke: operation(invocation.extend({ InvocationType: z.enum(['RequestResponse', 'Event', 'DryRun']).default('RequestResponse') }), {
        needs: deps.needs('InvokeFunction'),
        async run(input, scope) {
          const fn = deps.find(scope, input.FunctionName);
          const what = invocationOf(fn, input, scope);
          if (input.InvocationType === 'DryRun') return { StatusCode: 204 };
          if (input.InvocationType === 'Event') {
            asynchronous++;
            invokeLater(fn, what)
              .catch(
                (error: unknown) =>
                  deps.stopped.aborted ||
                  deps.report(`Lambda could not run ${fn.arn}: ${error instanceof Error ? error.message : String(error)}`),
              )
              .finally(() => asynchronous--);
            return { StatusCode: 202 };
          }
          const { payload, functionError } = sized(await fn.environments.invoke(what));
          return {
            StatusCode: 200,
            ExecutedVersion: '$LATEST',
            Payload: payload,
            ...(functionError === undefined ? {} : { FunctionError: functionError }),
          };
        },
      }),
      /**
       * Answers `EventStream`, an async iterable of `{PayloadChunk}` and one `{InvokeComplete}`: a caller within the process reads chunk by
       * chunk. Over HTTP there is no such operation here: its answer is an encoding of its own, which nobody of Cordon's asks for.
       */
      InvokeWithResponseStream: operation(
        invocation.extend({ InvocationType: z.enum(['RequestResponse', 'DryRun']).default('RequestResponse') }),
        {
          needs: deps.needs('InvokeFunction'),
          run(input, scope) {
            const fn = deps.find(scope, input.FunctionName);
            const what = invocationOf(fn, input, scope);
            if (input.InvocationType === 'DryRun') return { StatusCode: 204 };
            const { sink, events } = createResponseChannel();
            return { StatusCode: 200, ExecutedVersion: '$LATEST', EventStream: events(fn.environments.invoke(what, sink)) };
          },
        },
      ),
    },
  };
}

/** Throws AwsError: InvalidParameterValueException (tenant ID), RequestTooLargeException, InvalidRequestContentException. */
function invocationOf(
  fn: LambdaFunction,
  { Payload, TenantId }: { Payload: string; TenantId?: string | undefined },
  scope: Scope,
): Invocation {
  const isolated = fn.config.TenancyConfig !== undefined;
  if (isolated && TenantId === undefined)
    throw new AwsError(
      'InvalidParameterValueException',
      'The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.',
    );
  if (!isolated && TenantId !== undefined)
    throw new AwsError(
      'InvalidParameterValueException',
      'The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try again.',
    );
  const event = Payload === '' ? '{}' : Payload;
  const bytes = Buffer.byteLength(event);
  if (bytes > maxPayloadBytes)
    throw new AwsError(
      'RequestTooLargeException',
      `Request must be smaller than ${maxPayloadBytes} bytes for the InvokeFunction operation; got ${bytes}.`,
      413,
    );
  try {
    JSON.parse(event);
  } catch {
    // The parser's message would quote the payload.
    throw new AwsError('InvalidRequestContentException', 'Could not parse request body into json.');
  }
  return { event, requestId: scope.requestId, tenantId: TenantId };
}

function sized<T extends { readonly payload: string; readonly functionError?: 'Unhandled' }>(
  answer: T,
): { readonly payload: string; readonly functionError?: 'Unhandled' } {
  if (Buffer.byteLength(answer.payload) <= maxPayloadBytes) return answer;
  const errorMessage = `Response payload size exceeded maximum allowed payload size (${maxPayloadBytes} bytes).`;
  return { payload: JSON.stringify({ errorType: 'Function.ResponseSizeTooLarge', errorMessage }), functionError: 'Unhandled' };
}
