import type { Command } from 'commander';
import { z } from 'zod';
import { versionsOf } from '../functions/connections/credential-versions.ts';
import type { CredentialId, TenantId, UserId } from '../functions/shared/identifiers.ts';
import type { Cloud } from './cloud/cloud.ts';
import { CommandError } from './command-error.ts';
import { createRegistryReader } from './platform/registry-reader.ts';

export const inAdvance = z.object({ inAdvance: z.boolean().default(false) });

export function withInAdvance(command: Command): Command {
  return command.option('--in-advance', 'also of what does not exist: it is refused should it come');
}

export interface Subject {
  readonly tenant: TenantId;
  readonly user?: UserId | undefined;
  readonly credential?: CredentialId | undefined;
  readonly version?: string | undefined;
}

/**
 * A revocation of what does not exist is in force all the same, which is what a mistyped ID would come to: the wrong one revoked, and the right one in use. So it has
 * to be meant.
 *
 * @throws CommandError TENANT_UNKNOWN | USER_UNKNOWN | CREDENTIAL_UNKNOWN | VERSION_UNKNOWN, with nothing sent
 */
export async function demandKnown(
  cloud: Cloud,
  { tenant, user, credential, version }: Subject,
  meant: z.infer<typeof inAdvance>,
): Promise<void> {
  if (meant.inAdvance) return;
  const registry = createRegistryReader(cloud);
  if ((await registry.tenant(tenant)) === undefined) throw unknown('TENANT_UNKNOWN', `There is no tenant ${tenant}`, 'cordon tenants list');
  if (user !== undefined && (await registry.user(tenant, user)) === undefined)
    throw unknown('USER_UNKNOWN', `${tenant} has no user ${user}`, `cordon users list ${tenant}`);
  if (credential === undefined) return;
  const item = await registry.credential(tenant, credential);
  if (item === undefined)
    throw unknown('CREDENTIAL_UNKNOWN', `${tenant} has no credential ${credential}`, `cordon credentials list ${tenant}`);
  if (version !== undefined && !versionsOf(item).some(({ versionId }) => versionId === version))
    throw unknown('VERSION_UNKNOWN', `${credential} has no version ${version}`, `cordon credentials show ${tenant} ${credential}`);
}

function unknown(code: string, what: string, list: string): CommandError {
  return new CommandError(code, `${what}: "${list}" says which there are. Nothing was sent; --in-advance sends it all the same.`);
}
