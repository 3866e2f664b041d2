import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { z } from 'zod';
import { CordonError } from './errors.ts';

/**
 * Reads a request's body. What is wrong is said in words of ours: a parser's message would quote the body.
 *
 * @param limits.maxLength characters, as they came
 * @param limits.rule what the body must be
 * @param problemOf says more of a body that is JSON and not that
 * @throws CordonError REQUEST_TOO_LARGE | CALL_INVALID
 */
export function parsedBody<Schema extends z.ZodType>(
  { body, isBase64Encoded }: Pick<APIGatewayProxyEvent, 'body' | 'isBase64Encoded'>,
  schema: Schema,
  limits: { readonly maxLength: number; readonly rule: string; readonly problemOf?: (error: z.ZodError) => string },
): z.infer<Schema> {
  if ((body?.length ?? 0) > limits.maxLength)
    throw new CordonError('REQUEST_TOO_LARGE', `the body is longer than ${limits.maxLength} characters`);
  const text = isBase64Encoded ? Buffer.from(body ?? '', 'base64').toString('utf8') : (body ?? '');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new CordonError('CALL_INVALID', limits.rule);
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new CordonError('CALL_INVALID', limits.problemOf?.(parsed.error) ?? limits.rule);
  return parsed.data;
}
