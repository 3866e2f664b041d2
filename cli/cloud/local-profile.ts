import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { CommandError } from '../command-error.ts';
import type { Place } from './place.ts';

/** Of `.cordon/local.json` what an operator needs. It holds much more, credentials of every function among it: that is left where it is. */
const connectionFile = z.object({
  schemaVersion: z.literal(1),
  endpoint: z.url(),
  region: z.string(),
  eventBusName: z.string(),
  eventLogGroup: z.string(),
  registryTable: z.string(),
  attributionTable: z.string(),
  isolationTable: z.string(),
  roles: z.object({ TenantAuditor: z.string() }),
  functionArns: z.object({ tenants: z.string() }),
  queues: z.record(z.string(), z.object({ url: z.string(), dlqUrl: z.string() })),
  principals: z.object({ operator: z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }) }),
});

export interface LocalProfile {
  readonly place: Place;
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/**
 * The local cloud that runs from this directory, as its operator.
 *
 * @throws CommandError NO_LOCAL_CLOUD
 */
export function readLocalProfile(directory: string): LocalProfile {
  const path = join(directory, '.cordon', 'local.json');
  const parsed = connectionFile.safeParse(contentOf(path));
  if (!parsed.success) throw noLocalCloud(`${path} is not a connection file that this command understands`);
  const { endpoint, region, principals, roles, functionArns, ...place } = parsed.data;
  const label = `the local cloud at ${endpoint}`;
  return {
    place: { ...place, label, auditorRoleArn: roles.TenantAuditor, tenantsFunctionArn: functionArns.tenants },
    endpoint,
    region,
    credentials: principals.operator,
  };
}

export function noLocalCloud(why: string, cause?: unknown): CommandError {
  const message = `No local cloud runs here: ${why}. Start it with \`npm run local\`, or name an AWS profile with --profile.`;
  return new CommandError('NO_LOCAL_CLOUD', message, { cause });
}

function contentOf(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw noLocalCloud(`${path} cannot be read`, error);
  }
}
