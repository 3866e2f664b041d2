import { AwsCallError, type SendSigned, type SigningCredentials } from './aws-signed.ts';

const textOf = (xml: string, element: string): string | undefined => new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1];

/**
 * Calls STS by its query protocol. Its answers are flat enough to be read by element name, and no value read here needs unescaping.
 *
 * @returns reads the text of one element of the answer
 * @throws AwsCallError named by AWS's code; Error without status when no answer came
 *
 * Source: STS API Reference, "Making query requests".
 */
export async function callSts(
  send: SendSigned,
  credentials: SigningCredentials,
  { action, timeoutMs }: { readonly action: string; readonly timeoutMs: number },
  parameters: Readonly<Record<string, string>>,
): Promise<(element: string) => string | undefined> {
  const answer = await send(credentials, {
    service: 'sts',
    headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
    body: new URLSearchParams({ Action: action, Version: '2011-06-15', ...parameters }).toString(),
    timeoutMs,
  });
  if (answer.status !== 200) {
    const code = textOf(answer.body, 'Code') ?? `Http${answer.status}`;
    throw new AwsCallError(code, answer.status, textOf(answer.body, 'Message') ?? code);
  }
  return (element) => textOf(answer.body, element);
}
