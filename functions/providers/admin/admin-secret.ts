import type { z } from 'zod';
import { CordonError } from '../../shared/errors.ts';
import { jsonIn } from '../../shared/json-in.ts';
import type { SecretText } from '../../shared/secret-text.ts';

/**
 * Reads an admin secret that is JSON.
 *
 * @throws CordonError PROVIDER_UNAVAILABLE (retryable: an operator can put it right) when it is not in the provider's form; the message says nothing of the value
 */
export function parseAdminSecret<Schema extends z.ZodType>(provider: string, schema: Schema, secret: SecretText): z.infer<Schema> {
  const parsed = schema.safeParse(jsonIn(secret.reveal()));
  if (parsed.success) return parsed.data;
  const wrong = [...new Set(parsed.error.issues.map(({ path }) => path.join('.')).filter((path) => path !== ''))];
  const what = wrong.length === 0 ? 'it must be a JSON object' : `wrong or missing: ${wrong.join(', ')}`;
  throw new CordonError('PROVIDER_UNAVAILABLE', `the admin secret of ${provider} is not in its form (${what})`, { retryable: true });
}
