import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { z } from 'zod';
import { aws } from './aws-errors.ts';
import { CordonError } from './errors.ts';
import { jsonIn } from './json-in.ts';

/** Has it published, for whom the token names, that a call has asked by these names. Throws CordonError SESSION_UNAVAILABLE | AWS_UNAVAILABLE | AWS_REFUSED | ACCESS_REFUSED. */
export type ReportNamed = (token: string, names: readonly string[]) => Promise<void>;

const reported = z.object({ reported: z.literal(true) });

/** `sessions` verifies the token and publishes it: an API can say nothing of anybody who has not called. */
export function createReportNamed(lambda: LambdaClient, sessionsFunctionName: string): ReportNamed {
  return async (token, names) => {
    const input = new InvokeCommand({ FunctionName: sessionsFunctionName, Payload: JSON.stringify({ token, named: { names } }) });
    const { Payload } = await aws('telling what a call has named', () => lambda.send(input));
    if (!reported.safeParse(jsonIn(Payload?.transformToString() ?? '')).success)
      throw new CordonError('SESSION_UNAVAILABLE', 'the sessions function did not publish what a call has named', { retryable: true });
  };
}
