import { z } from 'zod';
import type { CredentialSettings } from '../providers/egress-adapter.ts';
import { hostNamePattern, isPublicHostName } from '../providers/host-name.ts';

/** Identifiers that providers give out: they go into requests' bodies only. */
const providerId = z.string().regex(/^[A-Za-z0-9_.:-]{1,128}$/, 'must be an ID of the provider');

/** Where a credential is used and, for a federated one, whom it stands for. What becomes part of a host name or a path is held to that place's alphabet. */
export const credentialSettings = z.strictObject({
  resource: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be the name of an Azure OpenAI resource')
    .optional(),
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+){1,2}-\d$/, 'must be an AWS region')
    .optional(),
  project: z
    .string()
    .regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/, 'must be a Google Cloud project ID')
    .optional(),
  location: z
    .string()
    .regex(/^(global|[a-z]+-[a-z]+\d{1,2})$/, 'must be a Google Cloud location')
    .optional(),
  host: z
    .string()
    .regex(hostNamePattern, 'must be the DNS name of a public server')
    .refine(isPublicHostName, 'must be the DNS name of a public server')
    .optional(),
  port: z.int().min(1).max(65_535).optional(),
  audience: z
    .string()
    .regex(/^[!-~]{1,256}$/, 'must be one word')
    .optional(),
  identityProviderId: providerId.optional(),
  serviceAccountId: providerId.optional(),
  federationRuleId: providerId.optional(),
  organizationId: providerId.optional(),
  workspaceId: providerId.optional(),
}) satisfies z.ZodType<CredentialSettings>;
