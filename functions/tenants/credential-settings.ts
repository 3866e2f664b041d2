import { z } from 'zod';
import { serviceName } from '../byoc/service-name.ts';
import type { CredentialSettings } from '../providers/egress-adapter.ts';
import { hostNamePattern, isPublicHostName } from '../providers/host-name.ts';

/** Identifiers that providers give out: they go into requests' bodies only. */
const providerId = z.string().regex(/^[A-Za-z0-9_.:-]{1,128}$/, 'must be an ID of the provider');

const regionPattern = /^[a-z]{2}(-[a-z]+){1,2}-\d$/;
/** An alias may stand for another key tomorrow. Source: KMS Developer Guide, "Key identifiers (KeyId)"; `mrk-` is a multi-Region key. */
const kmsKeyArnPattern =
  /^arn:aws(-cn|-us-gov)?:kms:[a-z]{2}(-[a-z]+){1,2}-\d:\d{12}:key\/([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$/;

/** Where a credential is used and, for a federated one, whom it stands for. What becomes part of a host name or a path is held to that place's alphabet. */
export const credentialSettings = z.strictObject({
  resource: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be the name of an Azure OpenAI resource')
    .optional(),
  region: z.string().regex(regionPattern, 'must be an AWS region').optional(),
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
  /** Of a secret that the customer supplies: the key of the customer's own account that it is to lie under. */
  kmsKeyArn: z.string().regex(kmsKeyArnPattern, 'must be the ARN of a KMS key, and of no alias').optional(),
}) satisfies z.ZodType<CredentialSettings>;

/** What Cordon itself writes down besides, of a role that a customer connected: what it reaches, and where. No event may ask for it. */
export const storedSettings = credentialSettings.extend({
  regions: z.array(z.string().regex(regionPattern)).min(1).max(10).optional(),
  services: z.array(serviceName).min(1).max(4).optional(),
});
