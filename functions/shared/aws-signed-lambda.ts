import { AwsCallError, type SendSigned, type SigningCredentials } from './aws-signed.ts';
import { asciiJson } from './aws-signed-json.ts';

/**
 * Invokes a function and waits for its answer.
 *
 * @returns what the function answered, parsed from JSON, yet to be checked
 * @throws AwsCallError named by AWS's code, or `FunctionError` when the function itself failed; Error without status when no answer came
 *
 * Source: Lambda API Reference, Invoke.
 */
export async function invokeFunction(
  send: SendSigned,
  credentials: SigningCredentials,
  { functionName, timeoutMs }: { readonly functionName: string; readonly timeoutMs: number },
  input: object,
): Promise<unknown> {
  const answer = await send(credentials, {
    service: 'lambda',
    path: `/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`,
    headers: { 'content-type': 'application/json' },
    body: asciiJson(input),
    timeoutMs,
  });
  if (answer.status !== 200) {
    const type = answer.headers['x-amzn-errortype'];
    const code = typeof type === 'string' ? (type.split(':')[0] ?? type) : `Http${answer.status}`;
    throw new AwsCallError(code, answer.status, code);
  }
  if (answer.headers['x-amz-function-error'] !== undefined) throw new AwsCallError('FunctionError', 502, 'the function failed');
  try {
    return JSON.parse(answer.body);
  } catch {
    throw new AwsCallError('FunctionError', 502, 'the function answered no JSON');
  }
}
