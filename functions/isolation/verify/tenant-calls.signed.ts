import { isAwsRefusal } from '../../shared/aws-errors.ts';
import { AwsCallError, type SendSigned, type SigningCredentials } from '../../shared/aws-signed.ts';
import { callJson } from '../../shared/aws-signed-json.ts';
import { callSts } from '../../shared/aws-signed-sts.ts';
import { type Attempt, type AttemptAnswer, decisionOf, type TryCall } from './attempt.ts';

/** One attempt; what comes late is no answer. */
const timeoutMs = 10_000;

/** Calls AWS with a canary's own session, and with no SDK in between that would retry, or refuse to send, what is to be tried. */
export function createTryCall(send: SendSigned, credentials: SigningCredentials): TryCall {
  return async (attempt) => {
    try {
      return { kind: 'allowed', result: await call(send, credentials, attempt) };
    } catch (error) {
      return answerOf(error);
    }
  };
}

async function call(
  send: SendSigned,
  credentials: SigningCredentials,
  { service, operation, input }: Attempt,
): Promise<Readonly<Record<string, unknown>>> {
  if (service !== 'sts') return callJson(send, credentials, { service, operation, timeoutMs }, input);
  const textOf = await callSts(send, credentials, { action: operation, timeoutMs }, parametersOf(input));
  // Of the credentials it would have given, nothing is kept.
  return { assumed: textOf('Arn') };
}

function answerOf(error: unknown): AttemptAnswer {
  const code = error instanceof Error ? error.name : 'Unknown';
  if (isAwsRefusal(error)) return { kind: 'refused', code };
  const status = error instanceof AwsCallError ? error.$metadata.httpStatusCode : undefined;
  return { kind: decisionOf(code, status), code: status === undefined ? 'nothing' : code };
}

/** `{Tags: [{Key, Value}]}` as the query protocol writes it: `Tags.member.1.Key`. Source: STS API Reference, "Making query requests". */
function parametersOf(input: object, prefix = ''): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const [name, value] of Object.entries(input)) {
    const key = `${prefix}${name}`;
    if (Array.isArray(value)) {
      for (const [index, member] of value.entries()) {
        const at = `${key}.member.${index + 1}`;
        if (typeof member === 'object' && member !== null) Object.assign(parameters, parametersOf(member, `${at}.`));
        else parameters[at] = String(member);
      }
    } else parameters[key] = String(value);
  }
  return parameters;
}
